"""TLS to Redis: whose certificate is believed, and who we say we are."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class RedisTls:
    """PEM files; without `ca_file` the system's authorities are believed, beside it they still are."""

    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""

    def check(self) -> None:
        """Raise `OSError` (`ssl.SSLError` is one) if the files are of no use: Redis' client tells only when it connects."""
        context = ssl.create_default_context(cafile=self.ca_file or None)
        if self.cert_file:
            context.load_cert_chain(self.cert_file, self.key_file)

    def options(self, url: str) -> dict[str, Any]:
        """What redis-py's connections to this address take; a server's name must be in its certificate."""
        if urlsplit(url).scheme != "rediss":
            return {}
        files = {
            "ssl_ca_certs": self.ca_file,
            "ssl_certfile": self.cert_file,
            "ssl_keyfile": self.key_file,
        }
        given = {name: file for name, file in files.items() if file}
        return {"ssl_cert_reqs": "required", "ssl_check_hostname": True, **given}


NO_FILES = RedisTls()
