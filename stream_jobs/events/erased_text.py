"""An erased account's id out of a text or JSON, however it is spelt there, and a pseudonym in its place; pure."""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import orjson

from stream_jobs.events.account_ids import is_account_id

# What we say of ourselves in these is never an id, though an account may be called so.
_OUR_WORDS: Final = frozenset({"direction", "kind", "type", "outcome", "reason"})
# What an account may be called is its id or another's, whatever that has within.
_ACCOUNTS: Final = frozenset({"account_id", "counterparty_id", "from_account_id", "to_account_id"})

_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"')


@dataclass(frozen=True, slots=True)
class Replacement:
    """Whose id, and what stands for it."""

    account_id: str
    pseudonym: str

    def account(self, key: bytes | None) -> bytes | None:
        """A key that is an account's id."""
        return self.pseudonym.encode() if key == self.account_id.encode() else key

    def content(self, content: bytes | None) -> bytes | None:
        """A text or JSON without the id: but for it, and for how JSON spells it, byte for byte as it was."""
        if content is None:
            return None
        text = self._text(content.decode("utf-8", "surrogateescape"))
        replaced = text.encode("utf-8", "surrogateescape")
        try:
            was = orjson.loads(content)
        except orjson.JSONDecodeError:
            return replaced
        try:
            wanted = self._json(was)
            if wanted == was:
                return content
            # Where it is spelt otherwise, or is also the name of a field, JSON is written anew.
            return replaced if _loaded(replaced) == wanted else orjson.dumps(wanted)
        except (RecursionError, orjson.JSONEncodeError):  # it may be nested over 1,000 deep
            return _STRING.sub(self._string, content.decode()).encode()

    def _string(self, found: re.Match[str]) -> str:
        was = json.loads(found[0])
        without = self._text(was)
        return found[0] if without == was else json.dumps(without)

    def _json(self, body: Any) -> Any:
        if type(body) is dict:
            return {name: self._field(name, value) for name, value in body.items()}
        if type(body) is list:
            return [self._json(each) for each in body]
        return self._text(body) if type(body) is str else body

    def _field(self, name: str, value: Any) -> Any:
        if name in _OUR_WORDS:
            return value
        if name in _ACCOUNTS and is_account_id(value):
            return self.pseudonym if value == self.account_id else value
        if type(value) is str and name.endswith("_base64"):
            return self._base64(value)
        if type(value) is str and name == "headers":  # of a rejected event: JSON, values in base64
            told = _loaded(value.encode())
            kept = told if type(told) is dict else {}
            without = {each: self._base64(said) if said else said for each, said in kept.items()}
            return value if without == kept else orjson.dumps(without).decode()
        return self._json(value)

    def _base64(self, text: str) -> str:
        try:
            content = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            return text
        return base64.b64encode(self.content(content) or b"").decode("ascii")

    def _text(self, text: str) -> str:
        if text == self.account_id:
            return self.pseudonym
        return re.sub(word(self.account_id), self.pseudonym, text)


@lru_cache(maxsize=64)
def word(account_id: str) -> str:
    r"""A pattern, in Java's and Python's words, for an id in a text: as it is or escaped for JSON, no part of a longer id.

    A dot ends an id only where no letter or digit follows: `acct-1.` is one at the end of a sentence, `acct-1.5` another.
    """
    spelt = {
        account_id,
        json.dumps(account_id)[1:-1],
        json.dumps(account_id, ensure_ascii=False)[1:-1],
    }
    either = "|".join(re.escape(each) for each in sorted(spelt))
    letter = r"[^\x00-\x2f\x3a-\x40\x5b-\x60\x7b-\x7f]"  # all but ASCII's own others
    return rf"(?<!{letter}|[_-])(?<!{letter}\.)(?:{either})(?!{letter}|[_-]|\.{letter})"


def _loaded(content: bytes) -> Any:
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        return None
