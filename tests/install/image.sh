#!/usr/bin/env bash
# Takes the steps of the Dockerfile's stage `builder` on this machine, without a container engine: the same commands on the same files. Progress goes to
# standard error; the last line on standard output is the folder with the programs.
#
# As with an engine, a step is taken again only when it, a file that it copies, or a step before it has changed.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
readonly root
readonly folder=${CARGO_TARGET_DIR:-$root/target}/image
readonly context=$folder/context source=$folder/source taken=$folder/taken

sha256() {
  if command -v sha256sum >/dev/null; then sha256sum "$@"; else shasum -a 256 "$@"; fi
}

fail() {
  printf 'image: %s\n' "$*" >&2
  exit 1
}

# What .dockerignore lets through: everything is left out, and then some is let in again.
filter() {
  local rule found=()
  [[ $(grep -v '^#' "$root/.dockerignore" | head -n 1) == '*' ]] || fail ".dockerignore does not begin with *"
  while read -r rule; do
    [[ $rule == '!'* ]] || fail ".dockerignore: $rule lets nothing in"
    # The rule is a pattern.
    # shellcheck disable=SC2206
    found+=(${rule#!})
  done < <(grep -v '^#' "$root/.dockerignore" | tail -n +2)
  rm -rf "$context"
  mkdir -p "$context"
  tar -cf - "${found[@]}" | tar -xf - -C "$context"
}

# The instructions of the stage, one a line.
instructions() {
  sed -e '/^ *#/d' -e '/^$/d' "$root/Dockerfile" | sed -e ':join' -e '/\\$/{N;s/ *\\\n */ /;b join' -e '}' |
    awk '/^FROM /{builder = / AS builder$/; next} builder'
}

# What a step depends on, besides the step before: its text, and the names and contents of the files that it copies.
inputs() {
  local instruction=$1 arguments=$2 from
  printf '%s %s\n' "$instruction" "$arguments"
  if [[ $instruction == COPY ]]; then
    for from in ${arguments% *}; do
      (cd "$context" && find "$from" -type f | LC_ALL=C sort | while read -r file; do sha256 "$file"; done)
    done
  fi
}

# A folder is replaced by what it is now: files that are no more must not be built.
copy() {
  local from to=${*: -1}
  for from in "${@:1:$#-1}"; do
    [[ -e $context/$from ]] || fail "COPY $from: .dockerignore lets no such thing through"
    if [[ -d $context/$from ]]; then
      rm -rf "${source:?}/$to"
      mkdir -p "$source/$to"
      cp -Rp "$context/$from/." "$source/$to"
    else
      mkdir -p "$source/$to"
      cp -p "$context/$from" "$source/$to/"
    fi
  done
}

# With nothing of the environment but where Rust is: the image's is empty, too.
run() {
  env --ignore-environment PATH="$PATH" HOME="$HOME" ${CARGO_HOME:+CARGO_HOME="$CARGO_HOME"} ${RUSTUP_HOME:+RUSTUP_HOME="$RUSTUP_HOME"} \
    nice -n 19 bash -c "cd '$source' && $1" >&2 9>&-
}

take() {
  local instruction=$1 arguments=$2
  printf 'image: %s %s\n' "$instruction" "$arguments" >&2
  case $instruction in
    WORKDIR) mkdir -p "$source" ;;
    # The arguments are names without blanks.
    # shellcheck disable=SC2086
    COPY) copy $arguments ;;
    RUN) run "$arguments" ;;
    *) fail "$instruction is no instruction that this script knows" ;;
  esac
}

main() {
  local number=0 key="" instruction arguments
  cd "$root"
  mkdir -p "$folder" "$taken"
  # One run builds; the others wait for it and find the work done.
  exec 9>"$folder/lock"
  ! command -v flock >/dev/null || flock 9
  filter
  while read -r instruction arguments; do
    number=$((number + 1))
    key=$({ echo "$key" && inputs "$instruction" "$arguments"; } | sha256 | cut -c 1-64)
    [[ $(cat "$taken/$number" 2>/dev/null) != "$key" ]] || continue
    rm -f "$taken/$number"
    take "$instruction" "$arguments" </dev/null
    echo "$key" >"$taken/$number"
  done < <(instructions)
  ((number > 0)) || fail "the Dockerfile has no stage builder"
  echo "$source/target/release"
}

main
