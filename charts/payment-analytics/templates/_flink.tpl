{{- define "pa.jobService" -}}
{{ include "pa.fullname" . }}-job{{ if eq .Values.job.mode "operator" }}-rest{{ end }}
{{- end -}}

{{/* Flink's own options, of the cluster and not of the job, which brings its own; by name. */}}
{{- define "pa.flinkConfiguration" -}}
{{- $j := .Values.job -}}
{{- $own := dict
  "jobmanager.memory.process.size" $j.jobManager.processMemory
  "jobmanager.memory.off-heap.size" "64m"
  "jobmanager.memory.jvm-overhead.min" "64m"
  "taskmanager.memory.process.size" $j.taskManager.processMemory
  "taskmanager.memory.managed.size" "64m"
  "taskmanager.memory.task.off-heap.size" "256m"
  "taskmanager.memory.jvm-overhead.min" "96m"
  "taskmanager.memory.network.min" "48m"
  "taskmanager.memory.network.max" "48m"
  "taskmanager.numberOfTaskSlots" ($j.taskManager.slots | toString)
  "taskmanager.jvm-exit-on-oom" "true"
  "taskmanager.data.port" "6121"
  "taskmanager.rpc.port" "6122"
  "jobmanager.rpc.port" "6123"
  "blob.server.port" "6124"
  "metrics.internal.query-service.port" "6125"
  "rest.port" "8081"
  "web.submit.enable" "false"
  "web.cancel.enable" "false"
  "heartbeat.interval" "2000"
  "heartbeat.timeout" "15000"
  "state.backend.rocksdb.memory.fixed-per-tm" $j.taskManager.rocksdbMemory
  "cluster.processes.halt-on-fatal-error" "true"
-}}
{{- if eq $j.mode "operator" }}
{{- $state := include "pa.stateFolder" . }}
{{- $own = merge $own (dict
  "env.java.opts.all" (include "pa.flinkJava" .)
  "python.executable" "/opt/venv/bin/python"
  "python.client.executable" "/opt/venv/bin/python"
  "high-availability.type" "kubernetes"
  "high-availability.storageDir" (printf "%s/ha" $state)
  "execution.checkpointing.dir" (printf "%s/checkpoints" $state)
  "execution.checkpointing.savepoint-dir" (printf "%s/savepoints" $state)
  "kubernetes.jobmanager.memory.limit-factor" $j.flinkDeployment.memoryLimitFactor
  "kubernetes.taskmanager.memory.limit-factor" $j.flinkDeployment.memoryLimitFactor
) }}
{{- end }}
{{- range $name, $value := mergeOverwrite $own (deepCopy $j.flinkConfiguration) }}
{{ $name }}: {{ include "pa.scalar" $value | quote }}
{{- end -}}
{{- end -}}

{{/* Java 17 opens to Flink and to Python's bridge what they reach into. */}}
{{- define "pa.flinkJava" -}}
{{- range list "base/java.lang" "base/java.net" "base/java.io" "base/java.nio" "base/sun.nio.ch" "base/java.lang.reflect" "base/java.text" "base/java.time" "base/java.util" "base/java.util.concurrent" "base/java.util.concurrent.atomic" "base/java.util.concurrent.locks" -}}
--add-opens=java.{{ . }}=ALL-UNNAMED {{ end -}}
{{- range list "java.base/sun.net.util" "java.rmi/sun.rmi.registry" "jdk.compiler/com.sun.tools.javac.api" "jdk.compiler/com.sun.tools.javac.file" "jdk.compiler/com.sun.tools.javac.parser" "jdk.compiler/com.sun.tools.javac.tree" "jdk.compiler/com.sun.tools.javac.util" "java.security.jgss/sun.security.krb5" -}}
--add-exports={{ . }}=ALL-UNNAMED {{ end -}}
-XX:+UseSerialGC
{{- end -}}

{{- define "pa.flinkEnv" -}}
- {name: FLINK_CONF_DIR, value: /etc/flink}
- {name: FLINK_LOG_DIR, value: /tmp/log}
- {name: FLINK_PID_DIR, value: /tmp/pid}
- name: POD_IP
  valueFrom: {fieldRef: {fieldPath: status.podIP}}
{{- include "pa.extraEnv" .Values.job }}
{{- end -}}

{{- define "pa.flinkMounts" -}}
- {name: conf, mountPath: /etc/flink, readOnly: true}
- {name: tmp, mountPath: /tmp}
{{- if include "pa.stateOnVolume" . }}
- {name: state, mountPath: {{ include "pa.stateFolder" . | trimPrefix "file://" }}}
{{- end }}
{{- if include "pa.jobKnowsErased" . }}
{{- include "pa.erasureKeyMount" . }}
{{- end }}
{{- with .Values.job.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "pa.flinkVolumes" -}}
- name: conf
  configMap: {name: {{ include "pa.fullname" . }}-job}
{{- if include "pa.stateOnVolume" . }}
- name: state
  persistentVolumeClaim: {claimName: {{ include "pa.stateClaim" . | quote }}}
{{- end }}
{{- if include "pa.jobKnowsErased" . }}
{{- include "pa.erasureKeyVolume" . }}
{{- end }}
{{- with .Values.job.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Another configuration is another pod. */}}
{{- define "pa.flinkMetadata" -}}
{{- $root := index . 0 -}}
labels: {{ include "pa.podLabels" . | nindent 2 }}
  {{- with $root.Values.job.podLabels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
annotations:
  payment-analytics/configuration: {{ include "pa.flinkConfiguration" $root | sha256sum | trunc 16 }}
  {{- with $root.Values.job.podAnnotations }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}
