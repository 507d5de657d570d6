"""Values that the chart is rendered with, and where to look in what comes of them."""

from __future__ import annotations

from typing import Any

EXTERNAL = (
    *("--set", "kafka.servers=kafka:9092", "--set", "pinot.controllerUrl=http://pinot:9000"),
    *("--set", "pinot.brokerUrl=http://pinot:8099", "--set", "gateway.auth.existingSecret=keys"),
)
STRIMZI = (*EXTERNAL, "--set", "strimzi.enabled=true,strimzi.cluster=events")
KEDA = (*EXTERNAL, "--set", "gateway.autoscaling.enabled=true,gateway.autoscaling.by=keda")
DEMO = ("-f", "charts/payment-analytics/values-demo.yaml")
EMBEDDED = ("-f", "charts/payment-analytics/values-embedded.yaml")
EVERYTHING = (
    *EXTERNAL,
    *("--set", "gateway.ingress.enabled=true,gateway.ingress.host=api.example.org"),
    *("--set", "gateway.ingress.tlsSecret=tls,gateway.ingress.className=nginx"),
    *("--set", "gateway.httpRoute.enabled=true,gateway.httpRoute.parentRefs[0].name=edge"),
    *("--set", "gateway.autoscaling.enabled=true,gateway.serviceMonitor.enabled=true"),
    *("--set", "tracker.serviceMonitor.enabled=true,audit.serviceMonitor.enabled=true"),
    *("--set", "archive.enabled=true,archive.serviceMonitor.enabled=true,archive.folder=s3://b/a"),
    *("--set", "gateway.serviceMonitor.tokenSecret=keys,commonLabels.team=payments"),
    *("--set", "imagePullSecrets[0].name=pull,pipeline.suffix=two,pipeline.currency=EUR"),
    *("--set", "gateway.settings.GATEWAY_MAX_FIRST=50,gateway.settings.GATEWAY_CACHE=false"),
    *("--set", "job.flinkConfiguration.restart-strategy\\.type=none"),
)
OPERATORS = (
    *EXTERNAL,
    *("--set", "job.mode=operator,strimzi.enabled=true,strimzi.cluster=events"),
    *("--set", "gateway.autoscaling.enabled=true,gateway.autoscaling.by=keda"),
    *("--set", "gateway.autoscaling.keda.prometheus.serverAddress=http://prometheus:9090"),
    *("--set", "gateway.autoscaling.keda.prometheus.authentication.name=prometheus"),
    *("--set", "gateway.autoscaling.behavior.scaleDown.stabilizationWindowSeconds=600"),
    *("--set", "gateway.serviceMonitor.enabled=true,gateway.serviceMonitor.tokenSecret=keys"),
    *("--set", "tracker.serviceMonitor.enabled=true,audit.serviceMonitor.enabled=true"),
    *("--set", "archive.enabled=true,archive.serviceMonitor.enabled=true"),
    *("--set", "prometheusRule.enabled=true,imagePullSecrets[0].name=pull"),
    *("--set", "gateway.httpRoute.enabled=true,gateway.httpRoute.parentRefs[0].name=edge"),
    *("--set", "gateway.httpRoute.hostnames[0]=api.example.org,job.podLabels.team=payments"),
)
"""Whatever an operator of somebody else's reads."""
MATRIX = {
    "external": EXTERNAL,
    "demo": DEMO,
    "embedded": EMBEDDED,
    "everything": EVERYTHING,
    "object store": (*EXTERNAL, "--set", "job.state.folder=s3://bucket/pa"),
    "operators": OPERATORS,
    "job elsewhere": (*EXTERNAL, "--set", "job.mode=none"),
    "others' names": (
        *("-f", "charts/payment-analytics/values-demo.yaml"),
        *("--set-string", "fullnameOverride=pay,nameOverride=0123,images.tag=1"),
        *("--set-string", "commonLabels.app\\.kubernetes\\.io/part-of=0123,commonLabels.on=on"),
        *("--set-string", "gateway.auth.existingSecret=0123,test.credentialSecret=0123"),
        *("--set-string", "test.credentialKey=0123,job.state.existingClaim=0123"),
        *("--set-string", "audit.state.existingClaim=0123,gateway.priorityClassName=0123"),
        *("--set-string", "archive.volume.existingClaim=0123,gateway.serviceMonitor.tokenKey=0123"),
        *("--set-string", "gateway.serviceMonitor.tokenSecret=0123,gateway.ingress.tlsSecret=0123"),
        *("--set-string", "gateway.ingress.className=0123,gateway.ingress.host=0123"),
        *("--set-string", "serviceAccount.name=0123,imagePullSecrets[0].name=0123"),
        *("--set", "serviceAccount.create=false,audit.state.persistent=true,archive.enabled=true"),
        *("--set", "gateway.serviceMonitor.enabled=true,gateway.ingress.enabled=true"),
        *("--set", "demo.persistent=true,gateway.service.more.ipFamilyPolicy=PreferDualStack"),
        *("--set", "prometheusRule.enabled=true,dashboards.enabled=true,listen=::"),
    ),
}


OURS = {"apps/v1", "autoscaling/v2", "batch/v1", "networking.k8s.io/v1", "policy/v1", "v1"}
"""What Kubernetes itself serves, of what the chart uses."""


def is_custom(resource: dict[str, Any]) -> bool:
    """Whether another than Kubernetes itself says what it may be."""
    return resource["apiVersion"] not in OURS


def pods(resources: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The pod of each thing that makes some; the operator's is its own to complete."""
    specs = [each["spec"] for each in resources if each["kind"] == "Pod"]
    made = ("Deployment", "StatefulSet", "Job")
    return specs + [each["spec"]["template"]["spec"] for each in resources if each["kind"] in made]


def by_name(resources: list[dict[str, Any]], kind: str, end: str) -> dict[str, Any]:
    return next(
        each
        for each in resources
        if each["kind"] == kind and each["metadata"]["name"].endswith(end)
    )


def arguments(resources: list[dict[str, Any]], kind: str, end: str) -> list[str]:
    pod = by_name(resources, kind, end)["spec"]["template"]["spec"]
    told: list[str] = pod["containers"][0]["args"]
    return told
