"""Which hosts and origins are the same, and what is none."""

from __future__ import annotations

import pytest

from gateway.process.web_names import Origin, Place, origin_of, place_of


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("localhost", Place("localhost", None)),
        ("LOCALHOST.:8000", Place("localhost", 8000)),
        ("a_b.example", Place("a_b.example", None)),
        ("[::1]:0", Place("[::1]", 0)),
        ("[0:0:0:0:0:0:0:1]", Place("[::1]", None)),
        ("[FD00::00AB:0]:65535", Place("[fd00::ab:0]", 65_535)),
        (".", Place(".", None)),
        *((text, None) for text in ("", "a:", "a:65536", "a:123456", "a:+1", "a:१", "a b", "a/b")),
        *((text, None) for text in ("u@a", "::1", "[::1", "[:::]", "[1.2.3.4]", "[::1%25lo]", "é")),
        ("a" * 600, None),
    ],
)
def test_a_place_is_a_host_and_perhaps_a_port(text: str, place: Place | None) -> None:
    assert place_of(text) == place


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://example.org", "HTTPS://Example.ORG:443"),
        ("http://example.org:80", "http://example.org"),
        ("http://example.org", "http://example.org."),
        ("http://[::1]:3000", "http://[0:0::0:1]:3000"),
        ("https://[FD00::1]", "https://[fd00:0::1]:443"),
        ("safari-web-extension://4F5B-A0", "safari-web-extension://4f5b-a0"),
    ],
)
def test_an_origin_has_one_form(one: str, other: str) -> None:
    assert origin_of(one) == origin_of(other) is not None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://example.org", "http://example.org"),
        ("https://example.org", "https://example.org:80"),
        ("http://example.org", "http://example.org:443"),
        ("http://a.example", "http://b.a.example"),
        ("capacitor://localhost", "ionic://localhost"),
        ("capacitor://localhost", "capacitor://localhost:80"),
        ("chrome-extension://abcdefghijklmnop", "chrome-extension://abcdefghijklmnoq"),
    ],
)
def test_origins_that_differ_are_two(one: str, other: str) -> None:
    assert None not in (origin_of(one), origin_of(other))
    assert origin_of(one) != origin_of(other)


@pytest.mark.parametrize(
    "text",
    [
        *("", "null", "*", "example.org", "//example.org", "https://", "file://", "://a", "1a://b"),
        *(
            "https://*.example.org",
            "https://example.org/",
            "https://u:p@example.org",
            "https://a?b",
        ),
        *("https://a b", "https://a,https://b", "https://a:65536", "http://[:::]", " https://a"),
        "https://m\u00fcnchen.example",
    ],
)
def test_what_is_no_origin(text: str) -> None:
    assert origin_of(text) is None


@pytest.mark.parametrize(
    ("origin", "host", "served"),
    [
        ("http://localhost", "localhost", True),
        ("http://localhost", "LOCALHOST:80", True),
        ("http://localhost:80", "localhost", True),
        ("https://api.example", "api.example", True),
        ("https://api.example", "api.example.:443", True),
        ("https://api.example.", "api.example", True),
        ("http://[0::1]:8000", "[::1]:8000", True),
        ("http://localhost", "localhost:8000", False),
        ("http://localhost:8000", "localhost", False),
        ("https://api.example", "api.example:80", False),
        ("http://127.0.0.1", "localhost", False),
        ("http://api.example.evil", "api.example", False),
        ("capacitor://localhost", "localhost", False),
        ("app://localhost:8000", "localhost:8000", False),
    ],
)
def test_a_page_of_a_server_is_one_of_its_host_and_port(
    origin: str, host: str, served: bool
) -> None:
    page, place = origin_of(origin), place_of(host)
    assert isinstance(page, Origin)
    assert place is not None
    assert page.serves(place) is served
