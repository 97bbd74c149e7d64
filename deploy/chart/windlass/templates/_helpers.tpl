{{- define "windlass.labels" -}}
app.kubernetes.io/name: windlass
app.kubernetes.io/part-of: windlass
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}
{{- /* A cluster-wide or a namespace's binding of Windlass to the role of its name:
       {name, kind (ClusterRole or Role), namespace (of a Role), top} */ -}}
{{- define "windlass.binding" -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ .kind }}Binding
metadata:
  name: {{ .name }}
  {{- with .namespace }}
  namespace: {{ . }}
  {{- end }}
  labels:
    {{- include "windlass.labels" .top | nindent 4 }}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: {{ .kind }}, name: {{ .name }}}
subjects:
  - {kind: ServiceAccount, name: windlass, namespace: {{ .top.Release.Namespace }}}
{{- end }}
{{- define "windlass.role" -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ .kind }}
metadata:
  name: {{ .name }}
  {{- with .namespace }}
  namespace: {{ . }}
  {{- end }}
  labels:
    {{- include "windlass.labels" .top | nindent 4 }}
{{- end }}
{{- /* The configuration, or nothing where there is none to give. The simulated cloud keeps its
       instances where Windlass runs. */ -}}
{{- define "windlass.config" -}}
{{- $config := deepCopy .Values.config }}
{{- if and (eq .Values.cloud "simulated") (ne .Release.Namespace "windlass") }}
{{- $config = mergeOverwrite (dict "simulated" (dict "namespace" .Release.Namespace)) $config }}
{{- end }}
{{- if $config }}
{{- toYaml (mergeOverwrite (dict "apiVersion" "windlass.dev/v1alpha1" "kind" "Config") $config) }}
{{- end }}
{{- end }}
