"""What is refused before anything is fetched, and what is not."""

from __future__ import annotations

import pytest

from gateway.access.account_id import check_account_id
from gateway.analytics import limits
from gateway.errors import BadUserInputError


@pytest.mark.parametrize(
    "account_id",
    ["a", "x" * 64, "😀" * 64, " ", "' OR 1=1 --", "%", "*", "\\", "\u2028", "\u200b", "e\u0301"],
)
def test_odd_ids_are_ids(account_id: str) -> None:
    assert check_account_id(account_id, "id") == account_id


@pytest.mark.parametrize("account_id", ["", "x" * 65, "a\nb", "\x00", "\x7f", "\x9b", "\ud800"])
def test_what_no_event_may_carry_is_no_id(account_id: str) -> None:
    with pytest.raises(BadUserInputError, match=r"^id: an account id has"):
        check_account_id(account_id, "id")


def test_ids_are_asked_once_each_in_their_order() -> None:
    assert limits.check_account_ids(["b", "a", "b"], 3) == ("b", "a")
    with pytest.raises(BadUserInputError, match="ids: up to 3 accounts, not 4"):
        limits.check_account_ids(["a", "b", "c", "d"], 3)
    with pytest.raises(BadUserInputError, match=r"^ids\[1\]: an account id has"):
        limits.check_account_ids(["a", ""], 3)


def test_first_has_bounds() -> None:
    assert [limits.check_first(first, 100) for first in (1, 100)] == [1, 100]
    for first in (0, 101, -5):
        with pytest.raises(BadUserInputError, match=f"first: must be 1 to 100, not {first}"):
            limits.check_first(first, 100)


@pytest.mark.parametrize("name", ["UTC", "Asia/Ho_Chi_Minh", "America/Argentina/Buenos_Aires"])
def test_zones_have_iana_names(name: str) -> None:
    assert limits.check_zone(name).key == name


@pytest.mark.parametrize(
    "name",
    [
        *("", "utc", "+07:00", "Asia/Hanoi", "../UTC", "/etc/localtime", "x" * 1000, "Asia/"),
        *("localtime", "Factory", "posixrules"),
    ],
)
def test_other_names_are_no_zones(name: str) -> None:
    with pytest.raises(BadUserInputError, match="timeZone: is not an IANA time zone name"):
        limits.check_zone(name)
