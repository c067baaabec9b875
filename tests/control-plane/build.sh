#!/usr/bin/env bash
# Builds the upstream programs that the tests run against, from the versions that go.mod and go.sum pin.
#
#   build.sh [program...]     etcd etcdctl etcdutl kube-apiserver kube-controller-manager kubectl helm; all of them when none is named
#
# What is built goes into a cache outside the source tree and is built only once. Progress goes to standard error;
# the last line on standard output is KUBEBUILDER_ASSETS=<folder>, and that folder holds every program asked for.
#
#   KUBEBUILDER_ASSETS=<folder>   takes the programs of that folder and builds only what it lacks. The assets that
#                                 setup-envtest downloads lack etcdctl, etcdutl, kube-controller-manager and helm.
#   USE_EXISTING_CLUSTER=true     needs no control plane: leaves out etcd and its tools, kube-apiserver and
#                                 kube-controller-manager, and takes kubectl and helm from PATH if they are there.
set -euo pipefail

module_folder=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly module_folder
readonly all_programs=(etcd etcdctl etcdutl kube-apiserver kube-controller-manager kubectl helm)
readonly cache="${XDG_CACHE_HOME:-$HOME/.cache}/aicore-operator/control-plane"
readonly seconds_between_signs_of_life=15

say() { printf '%s\n' "$*" >&2; }

fail() {
  say "control plane: $*"
  exit 1
}

# The Go package of a program, and how long its build takes with cold caches on two cores.
package_of() {
  case $1 in
    helm) echo helm.sh/helm/v4/cmd/helm ;;
    etcd*) module_of "$1" ;;
    *) echo "k8s.io/kubernetes/cmd/$1" ;;
  esac
}

usual_duration_of() {
  case $1 in
    kube-apiserver) echo "about 4 minutes" ;;
    kube-controller-manager | helm) echo "about 90 seconds" ;;
    *) echo "about 20 seconds" ;;
  esac
}

# The version that go.mod requires of a module.
required_version() {
  sed -nE "s|^[[:space:]]*(require )?$1 (v[^ ]+).*|\2|p" "$module_folder/go.mod" | head -n 1
}

# Without these kubectl cannot compare its version with the server's, and helm names no version.
linker_flags() {
  local kubernetes helm major minor rest
  kubernetes=$(required_version k8s.io/kubernetes)
  helm=$(required_version helm.sh/helm/v4)
  IFS=. read -r major minor rest <<<"${kubernetes#v}"
  local version=k8s.io/component-base/version
  echo "-s -w -X $version.gitVersion=$kubernetes -X $version.gitMajor=$major -X $version.gitMinor=$minor" \
    "-X helm.sh/helm/v4/internal/version.version=$helm"
}

sha256() {
  if command -v sha256sum >/dev/null; then sha256sum; else shasum -a 256; fi | cut -c 1-16
}

# Fails with one sentence when there is no Go that can build go.mod; prints what the result depends on otherwise.
go_identity() {
  local needed found major minor
  needed=$(sed -n 's/^go //p' "$module_folder/go.mod")
  command -v go >/dev/null ||
    fail "Go $needed or newer is needed to build the control plane, but there is no \"go\" in PATH; install it from https://go.dev/dl/ or set KUBEBUILDER_ASSETS to a folder that has every program."
  found=$(go env GOVERSION 2>/dev/null) || found=$(GOTOOLCHAIN=local go version 2>/dev/null | cut -d ' ' -f 3)
  if [[ $found =~ ^go([0-9]+)\.([0-9]+) ]]; then
    major=${BASH_REMATCH[1]} minor=${BASH_REMATCH[2]}
    IFS=. read -r needed_major needed_minor _ <<<"$needed"
    ((major > needed_major || (major == needed_major && minor >= needed_minor))) ||
      fail "Go $needed or newer is needed to build the control plane, but \"go\" in PATH is $found; install a newer one from https://go.dev/dl/."
  fi
  echo "$found $(go env GOOS GOARCH | tr '\n' ' ')"
}

# Runs one build in the background so that a sign of life can be given while it lasts.
build() {
  local program=$1 position=$2 total=$3
  local unfinished="$built/.$program.$$" log="$built/$program.log" started=$SECONDS next=$seconds_between_signs_of_life
  say "building $program $(required_version "$(module_of "$program")") ($position of $total, $(usual_duration_of "$program"))..."
  # Descriptor 9 is the lock: a compiler that outlives this script must not hold it.
  CGO_ENABLED=0 GOWORK=off go build -mod=readonly -buildvcs=false -trimpath -ldflags "$(linker_flags)" \
    -o "$unfinished" "$(package_of "$program")" >"$log" 2>&1 9>&- &
  compiler=$!
  while kill -0 "$compiler" 2>/dev/null; do
    sleep 1
    if ((SECONDS - started >= next)); then
      say "  still building $program: $((SECONDS - started)) s$(last_download "$log")"
      next=$((next + seconds_between_signs_of_life))
    fi
  done
  if ! wait "$compiler"; then
    compiler=
    tail -n 20 "$log" >&2
    fail "$program could not be built; the last lines of the compiler are above, all of them are in $log."
  fi
  compiler=
  mv -f "$unfinished" "$built/$program"
  rm -f "$log"
  say "  built $program in $((SECONDS - started)) s"
}

module_of() {
  case $1 in
    etcd) echo go.etcd.io/etcd/server/v3 ;;
    etcdctl | etcdutl) echo "go.etcd.io/etcd/$1/v3" ;;
    helm) echo helm.sh/helm/v4 ;;
    *) echo k8s.io/kubernetes ;;
  esac
}

# With cold caches the sources come first; say so, because nothing else shows it.
last_download() {
  local line
  line=$(tail -n 1 "$1" 2>/dev/null)
  case $line in "go: downloading "*) echo " (fetched ${line#go: downloading })" ;; esac
}

# One run builds, the others wait for it and find the work done. Where there is no flock two runs may do the work
# twice; that is safe as well, because a program appears under its name by a rename only.
take_lock() {
  command -v flock >/dev/null || return 0
  exec 9>"$built/.lock"
  local waited=0
  until flock --wait "$seconds_between_signs_of_life" 9; do
    waited=$((waited + seconds_between_signs_of_life))
    say "  another run is building the control plane; waiting for it: $waited s"
  done
  find "$built" -maxdepth 1 -name '.*.[0-9]*' -delete
}

clean_up() {
  if [[ -n ${compiler:-} ]]; then kill "$compiler" 2>/dev/null || true; fi
  if [[ -n ${built:-} ]]; then rm -f "$built"/.*."$$"; fi
}

build_missing() {
  local missing=("$@") position=0 program
  local still_missing=()
  identity=$(go_identity)
  built="$cache/$( (cat "$module_folder/go.mod" "$module_folder/go.sum" && echo "$identity $(linker_flags)") | sha256)"
  mkdir -p "$built"
  for program in "${missing[@]}"; do [[ -x $built/$program ]] || still_missing+=("$program"); done
  ((${#still_missing[@]} > 0)) || return 0
  trap clean_up EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  take_lock
  for program in "${still_missing[@]}"; do
    position=$((position + 1))
    [[ -x $built/$program ]] || build "$program" "$position" "${#still_missing[@]}"
  done
  flock --unlock 9 2>/dev/null || true
}

# A folder of links to programs that come from more than one place. Each link appears by a rename.
combine() {
  local folder program
  folder="$cache/combined-$(printf '%s\n' "$@" | sha256)"
  mkdir -p "$folder"
  for program in "$@"; do
    ln -s "$program" "$folder/.$(basename "$program").$$"
    mv -f "$folder/.$(basename "$program").$$" "$folder/$(basename "$program")"
  done
  echo "$folder"
}

main() {
  local wanted=("$@") program found=() missing=() given=""
  ((${#wanted[@]} > 0)) || wanted=("${all_programs[@]}")
  for program in "${wanted[@]}"; do
    [[ " ${all_programs[*]} " == *" $program "* ]] || fail "\"$program\" is none of: ${all_programs[*]}."
  done
  cd "$module_folder"

  if [[ ${USE_EXISTING_CLUSTER:-} == true ]]; then
    say "USE_EXISTING_CLUSTER=true: the cluster of the current kubeconfig is used, no control plane is built."
    for program in "${wanted[@]}"; do
      case $program in
        kubectl | helm) if command -v "$program" >/dev/null; then found+=("$(command -v "$program")"); else missing+=("$program"); fi ;;
      esac
    done
  elif [[ -n ${KUBEBUILDER_ASSETS:-} ]]; then
    given=$(cd "$KUBEBUILDER_ASSETS" 2>/dev/null && pwd) || fail "KUBEBUILDER_ASSETS names \"$KUBEBUILDER_ASSETS\", which is no folder; correct it or unset it."
    for program in "${wanted[@]}"; do
      if [[ -x $given/$program ]]; then found+=("$given/$program"); else missing+=("$program"); fi
    done
    ((${#missing[@]} == 0)) || say "KUBEBUILDER_ASSETS ($given) lacks ${missing[*]}; that is built and kept in $cache."
  else
    missing=("${wanted[@]}")
  fi

  built=
  ((${#missing[@]} == 0)) || build_missing "${missing[@]}"
  if ((${#found[@]} == 0 && ${#missing[@]} > 0)); then
    echo "KUBEBUILDER_ASSETS=$built"
  elif ((${#missing[@]} == 0)) && [[ -n $given ]]; then
    echo "KUBEBUILDER_ASSETS=$given"
  else
    for program in ${missing[@]+"${missing[@]}"}; do found+=("$built/$program"); done
    echo "KUBEBUILDER_ASSETS=$(combine ${found[@]+"${found[@]}"})"
  fi
}

main "$@"
