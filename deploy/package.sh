#!/usr/bin/env bash
# Makes the files of a release: the chart with the names of the published images in it, and the manifests that it renders.
#
#   package.sh registry folder      for instance registry.example.com/team/ dist
set -euo pipefail
deploy=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly deploy
readonly registry=$1 folder=$2

assets=$("$deploy/../tests/control-plane/build.sh" helm | tail -n 1)
readonly helm="${assets#KUBEBUILDER_ASSETS=}/helm"

mkdir -p "$folder"
sources=$(mktemp -d)
readonly sources
trap 'rm -rf "$sources"' EXIT
# With the definitions themselves in place of the link to them.
cp -RL "$deploy/chart/aicore-operator" "$sources"
sed -i.before -E "s|^( +repository: )(aicore-[a-z]+)$|\1$registry\2|" "$sources/aicore-operator/values.yaml"
rm "$sources/aicore-operator/values.yaml.before"

"$helm" package "$sources/aicore-operator" --destination "$folder" >&2
CHART="$sources/aicore-operator" "$deploy/render.sh" "$folder"
