"""Who signs alike: gateways with the same keys, else with the same masking key, else one process."""

from __future__ import annotations

import pytest

from gateway.access.masking import Masking
from gateway.access.signing_keys import signer_of_answers, signer_of_cursors
from gateway.settings import Settings, SettingsError, read

OLD, NEW = "0" * 32, "1" * 32
NO_KEYS = Settings(cache_redis_url="redis://:secret@redis/0")
MASKING = Masking(b"m" * 32)


def accepts(settings: Settings, masking: Masking, signed: bytes, *, secret: bytes = b"s") -> bool:
    return signer_of_cursors(settings, masking, secret).is_signed(b"content", signed)


def cursor(settings: Settings, masking: Masking, secret: bytes = b"s") -> bytes:
    return signer_of_cursors(settings, masking, secret).sign(b"content")


def test_the_first_key_signs_and_all_are_accepted() -> None:
    one, both = Settings(signing_keys=OLD), Settings(signing_keys=f"{NEW}\n {OLD} \n")
    assert accepts(both, MASKING, cursor(one, Masking()), secret=b"other")
    assert not accepts(one, Masking(), cursor(both, Masking()))
    assert accepts(Settings(signing_keys=NEW), Masking(), cursor(both, Masking()))


def test_without_keys_gateways_that_mask_alike_sign_alike() -> None:
    signed = cursor(NO_KEYS, MASKING)
    assert accepts(NO_KEYS, MASKING, signed, secret=b"other")
    assert not accepts(NO_KEYS, Masking(b"n" * 32), signed)
    assert not accepts(Settings(signing_keys=OLD), MASKING, signed)


def test_without_any_key_a_process_accepts_its_own_cursors_only() -> None:
    signed = cursor(Settings(), Masking(), b"its own")
    assert accepts(Settings(), Masking(), signed, secret=b"its own")
    assert not accepts(Settings(), Masking(), signed, secret=b"another's")


def test_whoever_takes_anothers_answers_takes_the_cursors_in_them() -> None:
    others = [
        (Settings(cache_redis_url="redis://:secret@redis/1"), Masking()),
        (Settings(cache_redis_url="redis://:secret@redis/1", signing_keys=OLD), Masking()),
        (Settings(cache_redis_url="redis://:secret@redis/1", signing_keys=NEW), MASKING),
        (NO_KEYS, Masking()),
        (NO_KEYS, MASKING),
    ]
    for maker in others:
        answer, own = signer_of_answers(*maker).sign(b"content"), cursor(*maker, secret=b"a")
        for reader in others:
            takes = signer_of_answers(*reader).is_signed(b"content", answer)
            assert takes == accepts(*reader, own, secret=b"b") == (maker == reader)


def test_answers_are_signed_by_the_same_keys_for_their_own_purpose() -> None:
    for settings, masking in ((Settings(signing_keys=OLD), Masking()), (NO_KEYS, MASKING)):
        signed = signer_of_answers(settings, masking).sign(b"content")
        assert signer_of_answers(settings, masking).is_signed(b"content", signed)
        assert not accepts(settings, masking, signed)
    other = Settings(cache_redis_url="redis://:Secret@redis/0")
    signed = signer_of_answers(other, Masking()).sign(b"content")
    assert not signer_of_answers(NO_KEYS, Masking()).is_signed(b"content", signed)


def test_a_short_key_is_refused_and_not_quoted() -> None:
    with pytest.raises(
        SettingsError, match=r"is '\*\*\*': it must be keys of 32 characters or more"
    ):
        read({"GATEWAY_SIGNING_KEYS": f"{OLD} hunter2"})
