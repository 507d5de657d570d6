"""Asks the question that the system exists for; without a credential, only whether it could be answered."""

import json
import os
import sys
import urllib.error
import urllib.request
from typing import Any

QUESTION = """query FirstQuestion($account: ID!) { account(id: $account) {
  topCounterparties(window: {last: {count: 30, unit: DAY}}, first: 10) {
    asOf exact rows { rank accountId transactionCount transactionAmount } } } }"""


def ask(path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> Any:
    request = urllib.request.Request(os.environ["GATEWAY"] + path, body, headers or {})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        sys.exit(f"{path} answered {error.code}: {error.read().decode()}")
    except OSError as error:
        sys.exit(f"{path} could not be asked: {error}")


ready = ask("/readyz")
print("ready:", json.dumps(ready))
if "CREDENTIAL" not in os.environ:
    sys.exit("ready, but nothing was asked: test.credentialSecret names no credential")
body = {"query": QUESTION, "variables": {"account": os.environ["ACCOUNT"]}}
headers = {
    "Content-Type": "application/json",
    "Authorization": "Bearer " + os.environ["CREDENTIAL"].strip(),
}
answer = ask("/graphql", json.dumps(body).encode(), headers)
print(json.dumps(answer, indent=2))
sys.exit("errors" in answer)
