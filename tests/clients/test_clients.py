"""Real clients under Node, and Python's, against a running gateway with the embedded store."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.documents import manifest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
TOP_SENDERS = ROOT / "graphql_schema" / "operations" / "top_senders.graphql"

pytestmark = pytest.mark.timeout(300)


def run(*command: str) -> str:
    """The output of a program of this folder, which must succeed."""
    done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.usefixtures("packages")
def test_the_http_audit_passes_in_full(gateway_url: str) -> None:
    assert run("node", "audit.mjs", gateway_url).strip() == "61 of 61"


@pytest.mark.usefixtures("packages")
def test_apollo_client_persists_its_queries(gateway_url: str) -> None:
    told = json.loads(run("node", "apollo.mjs", gateway_url, str(TOP_SENDERS)))
    assert told == {"methods": ["GET", "POST", "GET"], "rows": 10}


@pytest.mark.usefixtures("packages")
def test_urql_works_with_its_default_headers(gateway_url: str) -> None:
    assert json.loads(run("node", "urql.mjs", gateway_url, str(TOP_SENDERS))) == {"rows": 10}


@pytest.mark.usefixtures("packages")
def test_the_libraries_of_front_ends_subscribe(gateway_url: str) -> None:
    told = json.loads(run("node", "live.mjs", gateway_url))
    assert told == {
        "graphql-ws": 3,
        "a query over graphql-ws": [3],
        "graphql-sse": 3,
        "@apollo/client": 3,
        "@urql/core": 3,
    }


def test_gql_subscribes_over_a_websocket(gateway_url: str) -> None:
    told = json.loads(run(sys.executable, "python_live.py", gateway_url))
    assert told == {"rows": 3, "sequence": 1}


@pytest.mark.usefixtures("packages")
def test_the_sdl_builds_in_tools_of_before_one_of() -> None:
    told = json.loads(run("node", "sdl.mjs", str(ROOT / "graphql_schema" / "schema.graphql")))
    assert [each.pop("version").rpartition(".")[0] for each in told] == ["15.8", "16.0", "16.15"]
    assert told == [{"errors": 0, "oneOf": None}] * 2 + [{"errors": 0, "oneOf": True}]


@pytest.mark.usefixtures("packages")
def test_codegen_gives_strict_types_and_a_manifest() -> None:
    bin_folder = HERE / "node_modules" / ".bin"
    run(str(bin_folder / "graphql-codegen"), "--config", "codegen.ts")
    run(
        str(bin_folder / "tsc"),
        *("--noEmit", "--strict", "--skipLibCheck", "--target", "es2022"),
        *("--module", "nodenext", "--moduleResolution", "nodenext", "generated/graphql.ts"),
    )
    known = manifest.read(str(HERE / "generated" / "persisted-documents.json"))
    assert len(known) == len(list(TOP_SENDERS.parent.iterdir()))
    hashes = [hashlib.sha256(document.encode()).hexdigest() for document in known.values()]
    assert hashes == list(known)


def test_schemathesis_finds_nothing_in_the_running_api(gateway_url: str) -> None:
    # The check that every well-typed value is accepted is left out, as no type tells a limit such
    # as "1 to 100"; with values within their limits tests/contract/test_api_fuzzing.py has it.
    command = [sys.executable, "-m", "schemathesis.cli", "run", gateway_url]
    command += ["--exclude-checks=positive_data_acceptance", "--max-examples=10", "--seed=1"]
    environment = os.environ | {"SCHEMATHESIS_HOOKS": "tests.graphql_scalars"}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_gql_checks_documents_and_reads_money_as_decimals(gateway_url: str) -> None:
    told = json.loads(run(sys.executable, "python_gql.py", gateway_url, str(TOP_SENDERS)))
    assert told == {"rows": 10, "total": "Decimal", "code": "BAD_USER_INPUT"}
