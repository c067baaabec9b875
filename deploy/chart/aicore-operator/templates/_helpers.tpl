{{/* What the objects are called: the release's name where that tells what it is. */}}
{{- define "aicore-operator.name" -}}
{{- if .Values.nameOverride -}}
{{- .Values.nameOverride | trunc 53 | trimSuffix "-" -}}
{{- else if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 53 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 53 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* What the objects that have no namespace are called. There may be one operator for each namespace. */}}
{{- define "aicore-operator.clusterName" -}}
{{- if .Values.watchNamespace -}}
{{- printf "%s-%s" .Release.Namespace (include "aicore-operator.name" .) -}}
{{- else -}}
{{- include "aicore-operator.name" . -}}
{{- end -}}
{{- end -}}

{{/* What a pod is found by. It must never change: the API server lets nobody edit a Deployment's selector. */}}
{{- define "aicore-operator.selector" -}}
app.kubernetes.io/name: {{ include "aicore-operator.name" . }}
{{- end -}}

{{- define "aicore-operator.labels" -}}
{{ include "aicore-operator.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{- end -}}

{{- define "aicore-operator.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (include "aicore-operator.name" .) -}}
{{- end -}}

{{/* Who the operator is to the API server. */}}
{{- define "aicore-operator.user" -}}
system:serviceaccount:{{ .Release.Namespace }}:{{ include "aicore-operator.serviceAccount" . }}
{{- end -}}

{{- define "aicore-operator.subjects" -}}
subjects:
  - kind: ServiceAccount
    name: {{ include "aicore-operator.serviceAccount" . | toYaml }}
    namespace: {{ toYaml .Release.Namespace }}
{{- end -}}

{{/* The labels of the namespaces that may read the metrics. */}}
{{- define "aicore-operator.metricsFrom" -}}
{{- .Values.networkPolicy.metricsFrom | default (dict "aicore.dev/metrics" "true") | toYaml -}}
{{- end -}}

{{- define "aicore-operator.emulatorName" -}}
{{ include "aicore-operator.name" . }}-emulator
{{- end -}}

{{/* The namespaces of the Secrets, as a JSON list; empty where they are all in reach of the operator's scope. */}}
{{- define "aicore-operator.secretNamespaces" -}}
{{- if or .Values.secrets.clusterWide .Values.watchNamespace -}}
[]
{{- else -}}
{{- .Values.secrets.namespaces | default (list .Release.Namespace) | uniq | sortAlpha | toJson -}}
{{- end -}}
{{- end -}}

{{/* What the operator may do with the objects that it manages. Secrets are given separately. */}}
{{- define "aicore-operator.rules" -}}
# The objects themselves. The only thing ever patched in them is the list of finalizers: specs belong to the users.
- apiGroups: [aicore.dev]
  resources: [deployments, connections]
  verbs: [get, list, watch, patch]
# An object whose spec says expiryPolicy Delete goes once its deployment has expired.
- apiGroups: [aicore.dev]
  resources: [deployments]
  verbs: [delete]
# A status is always replaced as a whole, so that a stale copy is refused. Never patched.
- apiGroups: [aicore.dev]
  resources: [deployments/status, connections/status]
  verbs: [update]
# The ConfigMaps that Deployments name in spec.endpoint. One that was not made for the object is left alone. A role cannot be narrowed to names that
# come later; the admission policy beside it narrows it to those ConfigMaps.
- apiGroups: [""]
  resources: [configmaps]
  verbs: [get, create, update, delete]
# An event that repeats is patched, with a new count.
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end -}}

{{/* The Secrets that Connections name. */}}
{{- define "aicore-operator.secretRules" -}}
# Lists and watches ask for metadata only. The one thing patched is the list of finalizers: a key that is still needed for a deletion must not vanish
# first. A role cannot be narrowed to a field, nor to Secrets that are named later; the admission policy beside it narrows it to that field.
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, list, watch, patch]
{{- end -}}

{{/* The variables by which the operator is told the values. */}}
{{- define "aicore-operator.environment" -}}
- name: AICORE_OPERATOR_OWN_NAMESPACE
  valueFrom:
    fieldRef:
      fieldPath: metadata.namespace
- name: AICORE_OPERATOR_MODE
  value: {{ .Values.mode }}
- name: AICORE_OPERATOR_LEASE_NAME
  value: {{ include "aicore-operator.name" . }}
- name: AICORE_OPERATOR_LEASE_DURATION_SECONDS
  value: {{ .Values.lease.durationSeconds | quote }}
{{- with .Values.watchNamespace }}
- name: AICORE_OPERATOR_NAMESPACE
  value: {{ toYaml . }}
{{- end }}
{{- with .Values.excludeNamespaces }}
- name: AICORE_OPERATOR_EXCLUDE_NAMESPACES
  value: {{ join "," . | quote }}
{{- end }}
{{- with include "aicore-operator.secretNamespaces" . | fromJsonArray }}
- name: AICORE_OPERATOR_SECRET_NAMESPACES
  value: {{ join "," . | quote }}
{{- end }}
{{- with .Values.clusterId }}
- name: AICORE_OPERATOR_CLUSTER_ID
  value: {{ . | quote }}
{{- end }}
- name: AICORE_OPERATOR_DEFAULT_DELETION_POLICY
  value: {{ .Values.defaultDeletionPolicy }}
{{- if or .Values.allowHttp .Values.emulator.enabled }}
- name: AICORE_OPERATOR_ALLOW_HTTP
  value: "true"
{{- end }}
{{- if .Values.certificateAuthorities.configMap }}
- name: AICORE_OPERATOR_CA_FILE
  value: /etc/aicore-operator/authorities/{{ .Values.certificateAuthorities.key }}
{{- end }}
- name: AICORE_OPERATOR_LOG
  value: {{ .Values.log.filter | quote }}
- name: AICORE_OPERATOR_LOG_FORMAT
  value: {{ .Values.log.format }}
{{- end -}}

{{/* Values that fit each alone and not together. */}}
{{- define "aicore-operator.check" -}}
{{- if and .Values.secrets.clusterWide .Values.secrets.namespaces -}}
{{- fail "secrets.clusterWide lets the operator read every Secret, and secrets.namespaces only some: set one of them" -}}
{{- end -}}
{{- if and .Values.watchNamespace .Values.excludeNamespaces -}}
{{- fail "with watchNamespace the operator looks at that namespace and leaves all others out anyway: set only one of watchNamespace and excludeNamespaces" -}}
{{- end -}}
{{- range .Values.excludeNamespaces -}}
{{- if has . $.Values.secrets.namespaces -}}
{{- fail (printf "namespace %s is left to another operator, so this one reads no Secrets there: name it in only one of excludeNamespaces and secrets.namespaces" .) -}}
{{- end -}}
{{- end -}}
{{- if and .Values.watchNamespace (or .Values.secrets.clusterWide .Values.secrets.namespaces) -}}
{{- fail "with watchNamespace the operator reads Secrets in that namespace and nowhere else: set neither secrets.clusterWide nor secrets.namespaces" -}}
{{- end -}}
{{- if and .Values.emulator.enabled .Values.watchNamespace (ne .Values.watchNamespace .Release.Namespace) -}}
{{- fail "the emulator's Connection is in the release's namespace: leave watchNamespace empty for a trial, or name that namespace" -}}
{{- end -}}
{{- if and .Values.emulator.enabled .Values.secrets.namespaces (not (has .Release.Namespace .Values.secrets.namespaces)) -}}
{{- fail "the emulator's Connection is in the release's namespace: name that in secrets.namespaces as well" -}}
{{- end -}}
{{- if and .Values.serviceMonitor.enabled (not .Values.service.enabled) -}}
{{- fail "the ServiceMonitor finds the pods by the Service: set service.enabled, or leave serviceMonitor.enabled out" -}}
{{- end -}}
{{- if not (or .Values.serviceAccount.create .Values.serviceAccount.name) -}}
{{- fail "a service account that the chart does not make has to be there already: name it with serviceAccount.name" -}}
{{- end -}}
{{- range $name, $_ := include "aicore-operator.labels" . | fromYaml -}}
{{- if hasKey $.Values.podLabels $name -}}
{{- fail (printf "the chart itself gives the pods a label %s, and finds them by their labels: leave it out of podLabels" $name) -}}
{{- end -}}
{{- end -}}
{{- $told := dict -}}
{{- range concat (include "aicore-operator.environment" . | fromYamlArray) .Values.extraEnvironment -}}
{{- if hasKey $told .name -}}
{{- fail (printf "%s would be there twice, and the last one counts: leave it out of extraEnvironment, or of the values that stand for it" .name) -}}
{{- end -}}
{{- $_ := set $told .name true -}}
{{- end -}}
{{- range .Values.extraArguments -}}
{{- $variable := . | trimPrefix "--" | splitList "=" | first | upper | replace "-" "_" | printf "AICORE_OPERATOR_%s" -}}
{{- if hasKey $told $variable -}}
{{- fail (printf "the argument %s would overrule %s: leave it out of extraArguments, and set the value that stands for it" . $variable) -}}
{{- end -}}
{{- end -}}
{{- end -}}
