"""Who can reach an address, whose it is, and whom a proxy asks for."""

from __future__ import annotations

import pytest

from gateway.process.addresses import MAX_FORWARDED, asker, is_loopback, networks, owner


@pytest.mark.parametrize("host", ["127.0.0.1", "127.3.2.1", "::1", "[::1]", "localhost"])
def test_the_loopback_is_this_machines_alone(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "10.0.0.1", "[fe80::1]", "localhost.example", "example.org", ""]
)
def test_everything_else_may_be_reached_by_others(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize(
    ("address", "whose"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2::7", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::7", "2001:db8:1:3::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("", ""),
        ("not an address", "not an address"),
    ],
)
def test_whose_an_address_is(address: str, whose: str) -> None:
    assert owner(address) == whose


@pytest.mark.parametrize(
    ("peer", "forwarded", "found"),
    [
        ("192.0.2.7", "198.51.100.1", "192.0.2.7"),
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "203.0.113.9, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "198.51.100.1,10.0.0.2 , 10.9.9.9", "198.51.100.1"),
        ("10.0.0.1", "203.0.113.9, 198.51.100.1, 10.0.0.2", "198.51.100.1"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("10.0.0.1", "198.51.100.1:4711", "198.51.100.1"),
        ("10.0.0.1", "[2001:db8::7]:4711", "2001:db8::7"),
        ("10.0.0.1", "2001:DB8::0007", "2001:db8::7"),
        ("::ffff:10.0.0.1", "::ffff:198.51.100.1", "198.51.100.1"),
        ("fd00::1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1, unknown", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1, _hidden, 10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", "999.1.1.1", "10.0.0.1"),
        ("10.0.0.1", "\xff\x00", "10.0.0.1"),
        ("", "198.51.100.1", ""),
    ],
)
def test_proxies_are_believed_for_whom_they_ask_as_far_as_they_are_trusted(
    peer: str, forwarded: str, found: str
) -> None:
    assert asker(peer, forwarded, networks(["10.0.0.0/8", "fd00::1"])) == found


def test_of_a_long_list_the_end_is_read_and_never_a_part_of_an_address() -> None:
    trusted = networks(["10.0.0.0/8"])
    own = "," * 5_000 + "203.0.113.9"
    assert asker("10.0.0.1", f"{own}, 198.51.100.1", trusted) == "198.51.100.1"
    for cut in range(20):
        chain = ",".join(["10.0.0.2"] * 60)[: MAX_FORWARDED - cut]
        chain = chain.rpartition(",")[0]
        assert asker("10.0.0.1", f"111.111.111.111,{chain}", trusted) in (
            "111.111.111.111",
            "10.0.0.2",
        )


@pytest.mark.parametrize("text", ["10.0.0.1/8", "0.0.0.0/0", "::/0", "proxy", "10.0.0", ""])
def test_what_is_no_address_or_network_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        networks([text])
