.DEFAULT_GOAL := help

.PHONY: help
help: ## Print the targets
	@sed -nE 's/^([a-z-]+):.*## (.*)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

.PHONY: control-plane
control-plane: ## Build etcd, kube-apiserver, kube-controller-manager, kubectl and helm once, into a cache outside the tree
	@tests/control-plane/build.sh
