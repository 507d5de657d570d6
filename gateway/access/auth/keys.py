"""Creates, lists, rotates and revokes API keys: `python -m gateway.access.auth.keys`, or `./dev keys`."""

from __future__ import annotations

import argparse
import json
import sys
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gateway.access.auth import api_keys, key_file, key_uses
from gateway.access.auth.api_keys import ApiKey, Keys
from gateway.access.auth.credential import KEY_START
from gateway.access.auth.grants import account_ids, instant_s
from gateway.access.caller import Role

USAGE = 2


class KeyCommandError(ValueError):
    """What was asked for cannot be done; the message says why."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 2 for one that makes no sense."""
    options = _parser().parse_args(arguments)
    now = datetime.now(UTC).replace(microsecond=0)
    try:
        print(COMMANDS[options.command](_store(options), options, now))
    except (ValueError, OSError) as problem:
        print(f"keys: {problem}", file=sys.stderr)
        return USAGE
    return 0


def _store(options: argparse.Namespace) -> Path:
    if options.store:
        return Path(options.store)
    from gateway.settings.reading import keys_file

    if not (named := keys_file()):
        raise KeyCommandError("say where the keys are: --store FILE, or GATEWAY_AUTH_KEYS")
    return Path(named)


def create(path: Path, options: argparse.Namespace, now: datetime) -> str:
    """Add a key and tell it, once."""
    role = Role(options.role.upper())
    sees = options.sees_counterparties
    key_id, secret, sha256 = api_keys.new_secret()
    key = ApiKey(
        id=key_id,
        name=_name(options.name),
        role=role,
        sha256=sha256,
        created=text(now),
        expires=_expiry(options, now),
        revoked=None,
        accounts=account_ids(_accounts(options)),
        groups=tuple(options.group),
        sees_counterparties=role is not Role.PARTNER if sees is None else sees,
    )
    given = bool(key.accounts or key.groups)
    if role is Role.OPERATOR and (given or sees is False):
        raise KeyCommandError("an operator reads every account, with its id")
    if role is not Role.OPERATOR and not given:
        raise KeyCommandError("say which accounts: --accounts, --accounts-file or --group")

    def wanted(keys: Keys) -> list[ApiKey]:
        _refuse_another_of_name(key, keys, now)
        return [*keys.values(), key]

    key_file.change(path, wanted)
    return _told(key, secret)


def list_keys(path: Path, options: argparse.Namespace, now: datetime) -> str:
    """All keys, without anything to sign in with."""
    keys = sorted(key_file.read(path).values(), key=lambda each: (each.name, each.created))
    used = key_uses.read(path)
    rows = [_row(each, now, used.get(each.id)) for each in keys]
    if options.json:
        return json.dumps(rows, indent=2)
    if not rows:
        return "There are no keys."
    table = [[name.replace("_", " ") for name in rows[0]], *([*row.values()] for row in rows)]
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in table
    )
    return "\n".join(line.rstrip() for line in lines)


def rotate(path: Path, options: argparse.Namespace, now: datetime) -> str:
    """Add a key with the rights of another one, which stays valid for the overlap."""
    key_id, secret, sha256 = api_keys.new_secret()
    made: list[ApiKey] = []

    def wanted(keys: Keys) -> list[ApiKey]:
        old = _chosen(keys, options.key, now)
        ends = min(_overlap_end(options, now), _instant(old.until_s))
        made.append(
            replace(old, id=key_id, sha256=sha256, created=text(now), expires=_expiry(options, now))
        )
        return [*({**keys, old.id: replace(old, expires=text(ends))}).values(), made[0]]

    key_file.change(path, wanted)
    return _told(made[0], secret)


def revoke(path: Path, options: argparse.Namespace, now: datetime) -> str:
    """End a key; a running gateway knows within two seconds."""

    def wanted(keys: Keys) -> list[ApiKey]:
        ended = replace(_chosen(keys, options.key, now), revoked=text(now))
        return list({**keys, ended.id: ended}.values())

    key_file.change(path, wanted)
    return "Revoked. Running gateways refuse it within two seconds."


COMMANDS = {"create": create, "list": list_keys, "rotate": rotate, "revoke": revoke}


def text(instant: datetime) -> str:
    """An instant as the store and the lists have it."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _told(key: ApiKey, secret: str) -> str:
    until = f"valid until {key.expires}" if key.expires else "valid until revoked"
    return (
        f"{secret}\n\nThis is the only time the key is shown; {until}. Send it as\n"
        f"  Authorization: Bearer {key.prefix}"
    )


def _row(key: ApiKey, now: datetime, used_s: float | None) -> dict[str, str]:
    state = "revoked" if key.revoked else "expired" if now.timestamp() >= key.until_s else "valid"
    accounts = "all" if key.role is Role.OPERATOR else str(len(key.accounts))
    return {
        "key": key.prefix,
        "name": key.name,
        "role": key.role.value.lower(),
        "accounts": accounts,
        "groups": ", ".join(key.groups) or "-",
        "other_ids": "in full" if key.sees_counterparties else "masked",
        "state": state,
        "created": key.created,
        "expires": key.expires or "never",
        "last_used": "never" if used_s is None else text(_instant(used_s).replace(microsecond=0)),
    }


def _chosen(keys: Keys, asked: str, now: datetime) -> ApiKey:
    """The key of an id or prefix, or the one valid key of a name."""
    wanted = asked.removeprefix(KEY_START).partition("_")[0]
    found = [each for each in keys.values() if each.id == wanted]
    found = found or [
        each for each in keys.values() if each.name == asked and now.timestamp() < each.until_s
    ]
    if len(found) != 1:
        problem = f"{len(found)} valid keys have that name: give an id" if found else "no such key"
        raise KeyCommandError(f"{problem} (`list` shows them)")
    if found[0].revoked:
        raise KeyCommandError("that key is revoked already")
    return found[0]


def _refuse_another_of_name(key: ApiKey, keys: Keys, now: datetime) -> None:
    """Refuse a key that would be one with another in budgets, masks and logs, or look like it there."""
    for other in keys.values():
        if _looks(other.name) != _looks(key.name):
            continue
        if now.timestamp() < other.until_s:
            raise KeyCommandError(
                f"{other.name!r} has a valid key, {other.prefix}: rotate or revoke it, or take another name"
            )
        if (other.name, other.role) != (key.name, key.role):
            raise KeyCommandError(
                f"{other.name!r} had the key {other.prefix}, "
                f"{other.role.value.lower()}'s: take another name"
            )


def _looks(name: str) -> str:
    """What names that look alike have in common: case, widths and spaces aside."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def _name(said: str) -> str:
    if not 1 <= len(said) <= 64 or not said.isprintable() or said != said.strip():
        raise KeyCommandError("a name has 1 to 64 printable characters, the outer ones no spaces")
    return said


def _accounts(options: argparse.Namespace) -> list[str]:
    listed = [each.strip() for each in options.accounts.split(",") if each.strip()]
    if options.accounts_file is not None:
        lines = options.accounts_file.read_text("utf-8").splitlines()
        listed += [line for line in lines if line]
    return listed


def _expiry(options: argparse.Namespace, now: datetime) -> str | None:
    said: str = options.expires
    if said == "never":
        return None
    try:
        in_days = said.endswith("d") and said[:-1].isdecimal()
        expires = now + timedelta(days=int(said[:-1])) if in_days else _instant(instant_s(said))
    except (ValueError, OverflowError):
        raise KeyCommandError(
            "--expires is days like 90d or an instant like 2027-06-30T00:00:00Z, up to the year 9999, or never"
        ) from None
    if expires <= now:
        raise KeyCommandError("--expires is not in the future")
    return text(expires)


def _overlap_end(options: argparse.Namespace, now: datetime) -> datetime:
    try:
        ends = now + timedelta(hours=options.overlap_hours)
    except (ValueError, OverflowError):
        ends = None
    if ends is None or ends < now:
        raise KeyCommandError("--overlap-hours is 0 or more, and ends by the year 9999")
    return ends


def _instant(epoch_s: float) -> datetime:
    return datetime.fromtimestamp(min(epoch_s, 253_402_300_799), UTC)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./dev keys", description="API keys of the gateway.")
    parser.add_argument(
        "--store",
        metavar="FILE",
        help="the keys' file (GATEWAY_AUTH_KEYS)",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    one = commands.add_parser("create", help="make a key; it is shown once")
    one.add_argument("--name", required=True, help="whose key it is; budgets and masks go by it")
    one.add_argument("--role", required=True, choices=[each.value.lower() for each in Role])
    one.add_argument("--accounts", default="", metavar="ID,…", help="accounts it may read")
    one.add_argument("--accounts-file", type=Path, metavar="FILE", help="the same, one a line")
    one.add_argument("--group", action="append", default=[], help="a group of GATEWAY_AUTH_GROUPS")
    sees = one.add_mutually_exclusive_group()
    sees.add_argument(
        "--sees-counterparties",
        dest="sees_counterparties",
        action="store_true",
        default=None,
        help="other accounts' ids in full (owners, unless said otherwise)",
    )
    sees.add_argument(
        "--masked",
        dest="sees_counterparties",
        action="store_false",
        help="other accounts' ids as hashes (partners, unless said otherwise)",
    )
    two = commands.add_parser("rotate", help="make a key with the rights of another")
    two.add_argument(
        "--overlap-hours",
        type=float,
        default=24,
        metavar="H",
        help="for how long the old key stays valid (%(default)s)",
    )
    for each in (one, two):
        each.add_argument(
            "--expires",
            default="90d",
            metavar="WHEN",
            help="90d, an instant, or never (%(default)s)",
        )
    three = commands.add_parser("revoke", help="end a key")
    for each in (two, three):
        each.add_argument("key", help="its id, its prefix, or its holder's name")
    commands.add_parser("list", help="all keys").add_argument("--json", action="store_true")
    return parser


if __name__ == "__main__":
    sys.exit(main())
