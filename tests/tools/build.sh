#!/usr/bin/env bash
# Builds the tools that the tests judge by, from the versions that go.mod and go.sum pin.
#
#   build.sh       promtool, of Prometheus; judge, which prints what kstatus and Argo CD take objects
#                  for; and queries, which prints what PromQL expressions ask for
#
# What is built goes into a cache outside the source tree and is built only once, which takes about four minutes on two
# cores. The last line on standard output is the folder that holds them.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")"
readonly cache="${XDG_CACHE_HOME:-$HOME/.cache}/aicore-operator/tools"

say() { printf '%s\n' "$*" >&2; }

command -v go >/dev/null || {
  say "tools: Go $(sed -n 's/^go //p' go.mod) or newer is needed; install it from https://go.dev/dl/."
  exit 1
}

digest() { if command -v sha256sum >/dev/null; then sha256sum; else shasum -a 256; fi | cut -c 1-16; }

folder="$cache/$( (cat go.mod go.sum judge/*.go queries/*.go build.sh && go env GOVERSION GOOS GOARCH) | digest)"
readonly folder
mkdir -p "$folder"

# A program appears under its name by a rename only, so two runs at once do no harm.
build() {
  local program=$1 package=$2
  [[ -x $folder/$program ]] && return
  say "building $program, about $3..."
  # The discovery of targets in every cloud is most of Prometheus, and nothing of it is needed to check rules.
  CGO_ENABLED=0 GOWORK=off go build -mod=readonly -buildvcs=false -trimpath -tags remove_all_sd -ldflags "-s -w" \
    -o "$folder/.$program.$$" "$package"
  mv -f "$folder/.$program.$$" "$folder/$program"
}

exec 9>"$folder/.lock"
if command -v flock >/dev/null; then flock 9; fi
build promtool github.com/prometheus/prometheus/cmd/promtool "four minutes"
build judge ./judge "ten seconds"
build queries ./queries "ten seconds"
echo "$folder"
