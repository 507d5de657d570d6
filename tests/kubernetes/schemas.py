"""What custom resources may hold, by the schemas of those who serve them. They are fetched: none of them is ours to keep."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml
from jsonschema import Draft4Validator, Draft202012Validator

from local_stack import jars
from local_stack.java import require_java_home
from local_stack.settings import StackSettings

POMS: Final = Path(__file__).parent / "jars"
FOLDER: Final = "CHART_TESTS_CRDS"
"""A folder with CRDs as YAML, which go before those that are fetched: those of one's own cluster."""
STRIMZI: Final = {
    "topic": "io.strimzi.api.kafka.model.topic.KafkaTopic",
    "user": "io.strimzi.api.kafka.model.user.KafkaUser",
}
MODELS: Final = {
    ("keda.sh/v1alpha1", "ScaledObject"): "cloudcoil.models.keda.v1alpha1",
    ("monitoring.coreos.com/v1", "ServiceMonitor"): "cloudcoil.models.prometheus_operator.v1",
    ("monitoring.coreos.com/v1", "PrometheusRule"): "cloudcoil.models.prometheus_operator.v1",
}
_PRESERVES: Final = "x-kubernetes-preserve-unknown-fields"
_INT_OR_STRING: Final = "x-kubernetes-int-or-string"

Json = dict[str, Any]
Kind = tuple[str, str]
"""`apiVersion` and `kind`."""


@dataclass(frozen=True, slots=True)
class Schema:
    """One kind's, in which a field that it does not name is a fault; rules in CEL are not judged."""

    closed: Json
    draft: type[Draft4Validator | Draft202012Validator]

    def faults(self, resource: Json) -> list[str]:
        """Each with the path to where it is."""
        errors = self.draft(self.closed).iter_errors(resource)
        return [f"{error.json_path}: {error.message}" for error in errors]


def all_schemas(models: Path, made: Path) -> dict[Kind, Schema]:
    """By kind. `models` is where Python's packages are installed; `made` is an empty folder."""
    return {
        **dict(_of_models(models)),
        **dict(_of_jars(made)),
        **dict(_of_folder(os.environ.get(FOLDER, ""))),
    }


def closed(schema: Json) -> Json:
    """A schema in which only fields that are named are allowed, where it does not say itself that others are.

    As the API server prunes: what stands in `anyOf` and the like judges values, and names no fields.
    """
    if schema.get(_INT_OR_STRING):
        return {"type": ["integer", "string"]}
    # A model's way to say that a field may be left out; nothing here is rendered as null.
    without_null = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    if len(without_null) == 1 and len(schema["anyOf"]) == 2:
        (schema,) = without_null
    # The oldest kind of schema says of each field whether it is required.
    found = {word: said for word, said in schema.items() if word != "required" or said is not True}
    for word in ("properties", "definitions", "$defs"):
        found |= {word: {name: closed(each) for name, each in schema.get(word, {}).items()}}
    for word in ("items", "additionalProperties"):
        if isinstance(schema.get(word), dict):
            found[word] = closed(schema[word])
    names_all = schema.get("type") == "object" or "properties" in schema
    is_map = isinstance(schema.get("additionalProperties"), dict)
    if names_all and not is_map:
        found["additionalProperties"] = bool(schema.get(_PRESERVES))
    if schema.get("nullable") and isinstance(schema.get("type"), str):
        found["type"] = [schema["type"], "null"]
    return found


def of_crd(crd: Json) -> Iterator[tuple[Kind, Schema]]:
    """Each version that a CustomResourceDefinition serves."""
    for version in crd["spec"]["versions"]:
        made = closed(version["schema"]["openAPIV3Schema"])
        # Of every resource, and the API server's own to judge.
        made["properties"] |= {"apiVersion": {}, "kind": {}, "metadata": {"type": "object"}}
        kind = f"{crd['spec']['group']}/{version['name']}", crd["spec"]["names"]["kind"]
        yield kind, Schema(made, Draft4Validator)


def _of_folder(folder: str) -> Iterator[tuple[Kind, Schema]]:
    for file in sorted(Path(folder).rglob("*.y*ml")) if folder else ():
        for each in yaml.safe_load_all(file.read_text()):
            if each and each.get("kind") == "CustomResourceDefinition":
                yield from of_crd(each)


def _of_jars(made: Path) -> Iterator[tuple[Kind, Schema]]:
    folder = StackSettings().jars
    java = require_java_home(os.environ)
    if lacking := jars.missing(folder, POMS):
        jars.fetch(lacking, folder, java, os.environ, print, POMS)
    crd = "META-INF/fabric8/flinkdeployments.flink.apache.org-v1.yml"
    yield from of_crd(yaml.safe_load(_in_jar(folder / "flink-operator", crd)))
    fields: Json = json.loads(_in_jar(folder / "gateway-api", "schema/validation-schema.json"))
    whole = closed({"definitions": fields["definitions"], **fields["resources"]["httproute"]})
    yield ("gateway.networking.k8s.io/v1", "HTTPRoute"), Schema(whole, Draft4Validator)
    command = [str(java / "bin/java"), "-cp", f"{folder / 'strimzi'}/*"]
    command += ["io.strimzi.crdgenerator.CrdGenerator", "--target-kube", "1.16+"]
    command += ["--crd-api-version", "v1", "--api-versions", "v1beta2,v1"]
    command += ["--storage-version", "v1beta2", "--yaml"]
    command += [f"{kind}={made / name}.yaml" for name, kind in STRIMZI.items()]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    yield from _of_folder(str(made))


def _in_jar(folder: Path, name: str) -> bytes:
    (jar,) = folder.glob("*.jar")
    with zipfile.ZipFile(jar) as archive:
        return archive.read(name)


def _of_models(folder: Path) -> Iterator[tuple[Kind, Schema]]:
    """Of models that were generated from CRDs; in a process of its own, as nothing else here is to see them."""
    program = "import importlib, json, sys\n"
    program += "for path in sys.argv[1:]:\n"
    program += "    module, _, name = path.rpartition('.')\n"
    program += "    model = getattr(importlib.import_module(module), name)\n"
    program += "    print(json.dumps(model.model_json_schema(by_alias=True)))\n"
    paths = [f"{module}.{kind}" for (_, kind), module in MODELS.items()]
    said = subprocess.run(
        [sys.executable, "-c", program, *paths],
        env={**os.environ, "PYTHONPATH": str(folder)},
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    ).stdout
    for kind, line in zip(MODELS, said.splitlines(), strict=True):
        yield kind, Schema(closed(json.loads(line)), Draft202012Validator)
