#!/usr/bin/env bash
# Renders what can be installed without Helm from the chart with its default values.
#
#   render.sh [folder]     where to write to; deploy/ where none is named
#
#   CHART=<folder>         renders another chart than that in deploy/
set -euo pipefail
deploy=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly deploy
readonly folder=${1:-$deploy}

assets=$("$deploy/../tests/control-plane/build.sh" helm | tail -n 1)
readonly helm="${assets#KUBEBUILDER_ASSETS=}/helm"

# Helm tells on standard error of the link to crds/; only its errors are worth reading.
render() { "$helm" template aicore-operator "${CHART:-$deploy/chart/aicore-operator}" --namespace aicore-operator "$@" 2> >(grep -v '^level=INFO' >&2); }

{
  echo "# The operator with its namespace, definitions, roles and policies. Rendered from deploy/chart by \`make install-manifest\`."
  cat "$deploy/namespace.yaml"
  render
} >"$folder/install.yaml"
{
  echo "# Besides install.yaml: lets the operator read every Secret, so that Connections can be in any namespace. It has to be told as well:"
  echo "#"
  echo "#   kubectl --namespace aicore-operator set env deployment/aicore-operator AICORE_OPERATOR_SECRET_NAMESPACES-"
  echo "#"
  echo "# Rendered from deploy/chart by \`make install-manifest\`."
  render --set secrets.clusterWide=true --show-only templates/secret-roles.yaml
} >"$folder/secrets-everywhere.yaml"
