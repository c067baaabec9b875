.DEFAULT_GOAL := help
SHELL := bash

CARGO_DENY_VERSION := 0.20.2
TOOLS := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/aicore-operator/tools
CARGO_CYCLONEDX_VERSION := 0.5.9
CARGO_DENY := $(TOOLS)/cargo-deny-$(CARGO_DENY_VERSION)/bin/cargo-deny
CARGO_CYCLONEDX := $(TOOLS)/cargo-cyclonedx-$(CARGO_CYCLONEDX_VERSION)/bin/cargo-cyclonedx
RELEASE_FILES := $(or $(CARGO_TARGET_DIR),target)/release-files
BINARIES := $(or $(CARGO_TARGET_DIR),target)/debug
FUZZ_TARGETS := $(notdir $(wildcard tests/fuzz/corpus/*))
FUZZ_FOUND := $(or $(CARGO_TARGET_DIR),target)/fuzz
REGISTRY ?=
SOURCE ?=
VERSION := $(shell sed -n 's/^appVersion: //p' deploy/chart/aicore-operator/Chart.yaml)
# What the images say of themselves.
LABELS = --build-arg VERSION=$(VERSION) --build-arg REVISION=$(shell git rev-parse HEAD 2>/dev/null) --build-arg SOURCE=$(SOURCE)

.PHONY: help
help: ## Print the targets
	@sed -nE 's/^([a-z-]+):.*## (.*)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

.PHONY: demo
demo: control-plane ## Watch one deployment from kubectl apply to its proven end; KEEP=1 leaves everything running until Ctrl-C
	cargo build --locked --package aicore-operator --package aicore-emulator --package harness --bins
	@KEEP=$(KEEP) $(BINARIES)/demo

.PHONY: test
test: control-plane tools $(CARGO_CYCLONEDX) check deny ## Run every check and every test, and say how many ran
	@# The programs of the image take minutes where nothing is there yet. They get what the tests leave of the processors, which is most of them.
	@set -eu -o pipefail; \
	set -m; tests/install/image.sh >/dev/null 2>&1 & image=$$!; set +m; trap 'kill -- "-$$image" 2>/dev/null || true' EXIT; \
	assets=$$(tests/control-plane/build.sh | tail -n 1); export "$$assets"; \
	cargo test --workspace --locked --no-fail-fast 2>&1 | awk ' \
	  { print; fflush() } \
	  /^test result: / { passed += $$4; failed += $$6 } \
	  END { printf "%d passed, %d failed\n", passed, failed }'

.PHONY: storm
storm: control-plane ## Kill the operator KILLS times (1000) on a real control plane while everything else fails too; SEED=number repeats one
	@set -eu -o pipefail; \
	assets=$$(tests/control-plane/build.sh | tail -n 1); export "$$assets"; \
	KILLS=$(or $(KILLS),1000) SEED=$(SEED) STORM_OPERATOR_ENV='$(STORM_OPERATOR_ENV)' cargo test --locked --package aicore-operator --test storm after_any_storm

.PHONY: model
model: ## Explore the rules together with every fault, with more of them than make test allows; this takes long
	MODEL_LARGE=1 cargo test --locked --package model --test laws -- --nocapture

.PHONY: sizing
sizing: control-plane ## Measure what docs/sizing.md tells of memory and requests, with the release build, and print it
	@set -eu -o pipefail; \
	assets=$$(tests/control-plane/build.sh | tail -n 1); export "$$assets"; \
	cargo bench --locked --package aicore-operator --bench sizing

.PHONY: fuzz
fuzz: ## Search for inputs that break a law of the parsers, led by the code that they reach: SECONDS (60) for each, or for TARGET=name alone
	RUSTC_WORKSPACE_WRAPPER=$(CURDIR)/tests/fuzz/instrument cargo build --locked --package fuzz --features coverage --bin fuzz
	@set -u; broken=; for target in $(or $(TARGET),$(FUZZ_TARGETS)); do \
	  found=$(FUZZ_FOUND)/$$target; crashes=tests/fuzz/crashes/$$target; \
	  mkdir -p $$found $$crashes; echo "$$target"; \
	  FUZZ_TARGET=$$target $(BINARIES)/fuzz -max_total_time=$(or $(SECONDS),60) -timeout=10 -rss_limit_mb=1024 -max_len=16384 \
	    -print_final_stats=1 -artifact_prefix=$$crashes/ $$found tests/fuzz/corpus/$$target $$crashes || broken="$$broken $$target"; \
	done; \
	test -z "$$broken" || { echo "a law is broken:$$broken; the inputs are in tests/fuzz/crashes" >&2; exit 1; }

.PHONY: control-plane
control-plane: ## Build etcd and its tools, kube-apiserver, kube-controller-manager, kubectl and helm once, into a cache outside the tree
	@tests/control-plane/build.sh

.PHONY: tools
tools: ## Build promtool and what else the tests judge by once, into a cache outside the tree
	@tests/tools/build.sh

.PHONY: crds
crds: ## Generate crds/ from the types, and deploy/install.yaml with them
	cargo run --locked --package aicore-operator -- crd --out crds
	@deploy/render.sh

.PHONY: install-manifest
install-manifest: ## Render deploy/install.yaml and deploy/secrets-everywhere.yaml from the chart
	@deploy/render.sh

.PHONY: api
api: ## Generate docs/api.md from the types
	UPDATE=1 cargo test --locked --package aicore-operator --test insight the_api_reference

.PHONY: protocol
protocol: ## Print the rules: generate the tables and diagrams in docs/ from src/lifecycle
	UPDATE=1 cargo test --locked --package aicore-operator --test protocol

.PHONY: check
check: ## Check the formatting, the lints, the docs, and that crds/ is in sync with the types
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- --deny warnings
	RUSTDOCFLAGS='--deny warnings' cargo doc --workspace --no-deps --locked --quiet
	cargo run --locked --package aicore-operator -- crd --out crds --check

.PHONY: deny
deny: $(CARGO_DENY) ## Check the licences, versions and sources of all dependencies, those of the tests included
	$(CARGO_DENY) --locked --workspace check licenses bans sources

.PHONY: audit
audit: $(CARGO_DENY) ## Check all dependencies against the RustSec advisories, which are fetched from the network
	$(CARGO_DENY) --locked check advisories

.PHONY: image
image: ## Build the container image aicore-operator; REGISTRY=registry.example.com/team/ stands before its name
	docker build $(LABELS) --tag $(REGISTRY)aicore-operator:$(VERSION) .

.PHONY: image-emulator
image-emulator: ## Build the container image aicore-emulator, for a trial without an account
	docker build $(LABELS) --target emulator --tag $(REGISTRY)aicore-emulator:$(VERSION) .

.PHONY: sbom
sbom: $(CARGO_CYCLONEDX) ## List what the program is made of, as CycloneDX, in aicore-operator.cdx.json
	$(CARGO_CYCLONEDX) cyclonedx --format json --target all --override-filename aicore-operator.cdx --manifest-path Cargo.toml
	@# It makes one for every member of the workspace; the tests are not released.
	@rm -f tests/*/aicore-operator.cdx.json

.PHONY: release-files
release-files: ## Make the files of a release: chart, manifests, SBOM and checksums; REGISTRY=registry.example.com/team/ is where the images are
	rm -rf $(RELEASE_FILES)
	deploy/package.sh '$(REGISTRY)' $(RELEASE_FILES)
	$(MAKE) sbom
	mv aicore-operator.cdx.json $(RELEASE_FILES)/
	cd $(RELEASE_FILES) && sha256sum * >SHA256SUMS

$(CARGO_CYCLONEDX):
	cargo install --locked --version $(CARGO_CYCLONEDX_VERSION) --root $(TOOLS)/cargo-cyclonedx-$(CARGO_CYCLONEDX_VERSION) cargo-cyclonedx

$(CARGO_DENY):
	cargo install --locked --version $(CARGO_DENY_VERSION) --root $(TOOLS)/cargo-deny-$(CARGO_DENY_VERSION) cargo-deny
