{{- define "pa.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{/* Forty characters at most: what is appended stays within the 63 of a DNS label. One that is cut keeps apart
from others that begin like it. */}}
{{- define "pa.fullname" -}}
{{- $name := .Values.fullnameOverride -}}
{{- if not $name -}}
{{- $name = ternary .Release.Name (printf "%s-%s" .Release.Name (include "pa.name" .)) (contains (include "pa.name" .) .Release.Name) -}}
{{- end -}}
{{- if not (regexMatch "^[a-z]([-a-z0-9]*[a-z0-9])?$" $name) -}}
{{- fail (printf "names would begin with %s, and a Service's name has small letters, digits and hyphens and begins with a letter: set fullnameOverride to one that does" $name) -}}
{{- end -}}
{{- if gt (len $name) 40 -}}
{{- $name = printf "%s-%s" ($name | trunc 33 | trimSuffix "-") ($name | sha256sum | trunc 6) -}}
{{- end -}}
{{- $name -}}
{{- end -}}

{{/* Labels by which a part's pods are found; (list $ "gateway"). They never change. */}}
{{- define "pa.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ include "pa.name" $root | quote }}
app.kubernetes.io/instance: {{ $root.Release.Name | quote }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{- define "pa.labels" -}}
{{- $root := index . 0 -}}
{{ include "pa.selector" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name ($root.Chart.Version | replace "+" "_") }}
{{- with $root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Of pods: without versions, so that an upgrade leaves alone the pods of whatever did not change. */}}
{{- define "pa.podLabels" -}}
{{ include "pa.selector" . }}
{{- with (index . 0).Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* A part's image; (list $ "tools" .Values.tracker.image): its own if it has one. */}}
{{- define "pa.image" -}}
{{- $root := index . 0 -}}
{{- $images := $root.Values.images -}}
{{- if index . 2 -}}
{{- index . 2 -}}
{{- else -}}
{{- $registry := $images.registry | trimSuffix "/" -}}
{{- printf "%s%s/%s:%s" (ternary (printf "%s/" $registry) "" (ne $registry "")) $images.folder (index . 1) (default $root.Chart.AppVersion $images.tag) -}}
{{- end -}}
{{- end -}}

{{- define "pa.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ . }}
runAsGroup: {{ . }}
fsGroup: {{ . }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "pa.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}

{{- define "pa.serviceAccount" -}}
{{- default (ternary (include "pa.fullname" .) "default" .Values.serviceAccount.create) .Values.serviceAccount.name -}}
{{- end -}}

{{/* What every pod of ours has; (list $ 10001). None speaks to the Kubernetes API. What runs before the
release's own account is there says so: (list $ 10001 "before"). */}}
{{- define "pa.pod" -}}
{{- $root := index . 0 -}}
enableServiceLinks: false
automountServiceAccountToken: false
{{- $account := $root.Values.serviceAccount }}
serviceAccountName: {{ and $account.create (gt (len .) 2) | ternary "default" (include "pa.serviceAccount" $root) | quote }}
{{- with $root.Values.imagePullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
securityContext: {{ include "pa.podSecurity" (index . 1) | nindent 2 }}
{{- end -}}

{{- define "pa.placement" -}}
{{- with .nodeSelector }}
nodeSelector: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .affinity }}
affinity: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- end -}}

{{/* Of which one works by a lease: (list $ "tracker" .Values.tracker). They are not to be lost together. */}}
{{- define "pa.apart" -}}
{{- $root := index . 0 -}}
{{- $part := index . 2 -}}
{{- if gt (int $part.replicas) 1 }}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{ include "pa.selector" (list $root (index . 1)) | nindent 8 }}
{{- end }}
{{- end -}}

{{- define "pa.lease" -}}
{{- if gt (int .replicas) 1 }}
- --lease={{ .leaseSeconds }}
{{- end }}
{{- end -}}

{{- define "pa.oneStays" -}}
{{- $root := index . 0 -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "pa.fullname" $root }}-{{ index . 1 }}
  labels: {{ include "pa.labels" (list $root (index . 1)) | nindent 4 }}
spec:
  maxUnavailable: 1
  selector:
    matchLabels: {{ include "pa.selector" (list $root (index . 1)) | nindent 6 }}
{{- end -}}

{{/* A part's own variables and where more come from. */}}
{{- define "pa.extraEnv" -}}
{{- with .extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "pa.extraEnvFrom" -}}
{{- with .extraEnvFrom }}
envFrom: {{ toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* A value as it was written: numbers are all read as floats, and a large one would be 6.7108864e+07. */}}
{{- define "pa.scalar" -}}
{{- if and (kindIs "float64" .) (eq (floor .) .) -}}{{ int64 . }}{{- else -}}{{ toString . }}{{- end -}}
{{- end -}}

{{- define "pa.kafka" -}}
{{- if .Values.demo.enabled -}}
{{- printf "%s-kafka.%s.svc:9092" (include "pa.fullname" .) .Release.Namespace -}}
{{- else -}}
{{- required "kafka.servers must be set: Kafka's bootstrap servers, host:port,…; or try the chart out with values-demo.yaml" .Values.kafka.servers -}}
{{- end -}}
{{- end -}}

{{- define "pa.kafkaForPinot" -}}
{{- default (include "pa.kafka" .) .Values.kafka.serversForPinot -}}
{{- end -}}

{{- define "pa.controller" -}}
{{- if .Values.demo.enabled -}}
{{- printf "http://%s-pinot.%s.svc:9000" (include "pa.fullname" .) .Release.Namespace -}}
{{- else -}}
{{- required "pinot.controllerUrl must be set: Pinot's controller, http://host:9000" .Values.pinot.controllerUrl -}}
{{- end -}}
{{- end -}}

{{- define "pa.broker" -}}
{{- if .Values.demo.enabled -}}
{{- printf "http://%s-pinot.%s.svc:8099" (include "pa.fullname" .) .Release.Namespace -}}
{{- else -}}
{{- required "pinot.brokerUrl must be set: Pinot's broker, http://host:8099" .Values.pinot.brokerUrl -}}
{{- end -}}
{{- end -}}

{{/* Where the demo's Kafka and Pinot are part of the release, or the topics, nothing can be applied before it. */}}
{{- define "pa.hooked" -}}
{{- if and (not .Values.strimzi.enabled) (or (not .Values.demo.enabled) .Release.IsUpgrade) -}}yes{{- end -}}
{{- end -}}

{{- define "pa.pipelineSuffix" -}}
{{- with .Values.pipeline.suffix -}}-{{ . }}{{- end -}}
{{- end -}}

{{/* Topics and ACLs by this pipeline's names, as YAML. */}}
{{- define "pa.kafkaFile" -}}
{{- $text := .Files.Get "files/kafka.yaml" -}}
{{- range $key, $name := ($text | fromYaml).names -}}
{{- $text = replace (printf "{%s}" $key) (default $name (get $.Values.pipeline.names $key)) $text -}}
{{- end -}}
{{- replace "{suffix}" (include "pa.pipelineSuffix" .) $text -}}
{{- end -}}

{{- define "pa.names" -}}
{{- with .Values.pipeline.suffix }}
- --pipeline={{ . }}
{{- end }}
{{- range $name, $value := .Values.pipeline.names }}
- --{{ kebabcase $name }}={{ $value }}
{{- end }}
{{- end -}}

{{- define "pa.eventRules" -}}
{{- with .Values.pipeline.currency }}
- --currency={{ . }}
{{- end }}
{{- end -}}

{{/* The key of erasures, where a Secret has one. */}}
{{- define "pa.erasureKeyArgument" -}}
{{- if .Values.pipeline.erasureKey.existingSecret }}
- --erasure-key=/etc/erasure/erasure.key
{{- end }}
{{- end -}}

{{- define "pa.erasureKeyMount" -}}
{{- if .Values.pipeline.erasureKey.existingSecret }}
- {name: erasure-key, mountPath: /etc/erasure, readOnly: true}
{{- end }}
{{- end -}}

{{- define "pa.erasureKeyVolume" -}}
{{- with .Values.pipeline.erasureKey }}
{{- if .existingSecret }}
- name: erasure-key
  secret:
    secretName: {{ .existingSecret | quote }}
    defaultMode: 0440
    items: [{key: {{ .file | quote }}, path: erasure.key}]
{{- end }}
{{- end }}
{{- end -}}

{{/* Whether the job has the key: what it does not need it is not given. */}}
{{- define "pa.jobKnowsErased" -}}
{{- if ne .Values.pipeline.erasedAccounts "kept" }}
{{- if not .Values.pipeline.erasureKey.existingSecret }}
{{- fail (printf "pipeline.erasedAccounts is %s, which needs the key: pipeline.erasureKey.existingSecret" .Values.pipeline.erasedAccounts) }}
{{- end }}true
{{- end }}
{{- end -}}

{{/* What the job is told, by the check before it and by itself. */}}
{{- define "pa.jobArguments" -}}
- --application
- --kafka={{ include "pa.kafka" . }}
- --pinot-controller={{ include "pa.controller" . }}
- --checkpoints={{ include "pa.stateFolder" . }}/checkpoints
- --savepoints={{ include "pa.stateFolder" . }}/savepoints
- --environment={{ .Values.bootstrap.environment }}
- --parallelism={{ .Values.job.parallelism }}
- --dedup-window-s={{ .Values.pipeline.dedupWindowSeconds | int64 }}
- --transaction-timeout-s={{ .Values.pipeline.transactionTimeoutSeconds | int64 }}
- --checkpoint-interval-ms={{ .Values.pipeline.checkpointIntervalMilliseconds | int64 }}
{{- include "pa.names" . }}
{{- include "pa.eventRules" . }}
{{- if include "pa.jobKnowsErased" . }}
- --erased-accounts={{ .Values.pipeline.erasedAccounts }}
{{- include "pa.erasureKeyArgument" . }}
{{- end }}
{{- range .Values.job.arguments }}
- {{ . | quote }}
{{- end }}
{{- end -}}

{{- define "pa.stateFolder" -}}
{{- default "file:///state" (.Values.job.state.folder | trimSuffix "/") -}}
{{- end -}}

{{- define "pa.stateOnVolume" -}}
{{- if hasPrefix "file:" (include "pa.stateFolder" .) -}}yes{{- end -}}
{{- end -}}

{{- define "pa.stateClaim" -}}
{{- default (printf "%s-job-state" (include "pa.fullname" .)) .Values.job.state.existingClaim -}}
{{- end -}}

{{- define "pa.authSecret" -}}
{{- if .Values.gateway.auth.existingSecret -}}
{{- .Values.gateway.auth.existingSecret -}}
{{- else if .Values.demo.credential -}}
{{- include "pa.fullname" . }}-demo
{{- end -}}
{{- end -}}

{{/* Who may reach a part, and only its port of this name; (list $ "gateway" "http" .Values.gateway.networkPolicy). */}}
{{- define "pa.networkPolicy" -}}
{{- $root := index . 0 -}}
{{- $policy := index . 3 -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ include "pa.fullname" $root }}-{{ index . 1 }}
  labels: {{ include "pa.labels" (list $root (index . 1)) | nindent 4 }}
spec:
  podSelector:
    matchLabels: {{ include "pa.selector" (list $root (index . 1)) | nindent 6 }}
  policyTypes: [Ingress]
  ingress:
    - ports: [{port: {{ index . 2 }}, protocol: TCP}]
      {{- with $policy.from }}
      from: {{ toYaml . | nindent 8 }}
      {{- end }}
{{- end -}}

{{/* For the Prometheus operator; (list $ "tracker" "metrics" .Values.tracker.serviceMonitor). */}}
{{- define "pa.serviceMonitor" -}}
{{- $root := index . 0 -}}
{{- $monitor := index . 3 -}}
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata:
  name: {{ include "pa.fullname" $root }}-{{ index . 1 }}
  labels: {{ include "pa.labels" (list $root (index . 1)) | nindent 4 }}
    {{- with $monitor.labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  selector:
    matchLabels: {{ include "pa.selector" (list $root (index . 1)) | nindent 6 }}
  endpoints:
    - port: {{ index . 2 }}
      path: /metrics
      interval: {{ $monitor.interval }}
      {{- with $monitor.tokenSecret }}
      authorization:
        credentials: {name: {{ . | quote }}, key: {{ $monitor.tokenKey | quote }}}
      {{- end }}
{{- end -}}
