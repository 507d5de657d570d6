"""What is refused before anything is fetched, and what is not."""

from __future__ import annotations

from decimal import Decimal

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


def test_a_set_has_an_account_and_each_once() -> None:
    assert limits.check_set(["b", "a", "b"], 3, "accountSet.ids") == ("b", "a")
    assert limits.check_set(["a"], 3, "accountSet.ids") == ("a",)
    for ids in ([], ["a"] * 4):
        with pytest.raises(
            BadUserInputError, match=rf"^set: a set has 1 to 3 accounts, not {len(ids)}"
        ):
            limits.check_set(ids, 3, "set")
    with pytest.raises(BadUserInputError, match=r"^ids\[1\]: an account id has"):
        limits.check_set(["a", ""], 3, "set")


@pytest.mark.parametrize(
    "text",
    ["0", "-0.00000001", "999999999999999999.99999999", "-999999999999999999", "1.000000000"],
)
def test_an_amount_is_one_that_an_event_could_have_or_its_reversal(text: str) -> None:
    assert limits.check_amount(Decimal(text), "minAmount") == Decimal(text)
    assert limits.check_amount(None, "minAmount") is None


@pytest.mark.parametrize(
    "text", ["1000000000000000000", "-1000000000000000000", "0.000000001", "-1.123456789"]
)
def test_other_amounts_are_refused(text: str) -> None:
    with pytest.raises(
        BadUserInputError, match=r"^maxAmount: has up to 18 digits before the point and 8 after it$"
    ):
        limits.check_amount(Decimal(text), "maxAmount")


def test_a_transaction_id_is_a_uuid_in_any_case() -> None:
    written = "0B0e9a4c-2f3A-4f0e-9d57-3f0c0f8a1b2c"
    assert limits.check_transaction_id(written) == written.lower()
    for wrong in ("", written[:-1], written + "0", written.replace("-", ""), f"{{{written}}}"):
        with pytest.raises(
            BadUserInputError,
            match=r"^id: a transaction id is a UUID: 8-4-4-4-12 hexadecimal digits$",
        ):
            limits.check_transaction_id(wrong)


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
