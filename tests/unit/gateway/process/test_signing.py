"""Signatures: of this content, for this purpose, by one of these keys."""

from __future__ import annotations

from pathlib import Path

from gateway.process.shared import Process, read_secret, write_secret
from gateway.process.signing import SIGNATURE_BYTES, Signer


def test_a_signature_is_of_a_content_for_a_purpose_by_a_key() -> None:
    signer = Signer([b"key"], b"purpose")
    signature = signer.sign(b"content")
    assert len(signature) == SIGNATURE_BYTES
    assert signer.is_signed(b"content", signature)
    assert Signer([b"another", b"key"], b"purpose").is_signed(b"content", memoryview(signature))
    assert not signer.is_signed(b"Content", signature)
    for wrong in (b"", signature[:-1], signature + b"\0", bytes(SIGNATURE_BYTES)):
        assert not signer.is_signed(b"content", wrong)
    assert not Signer([b"key"], b"other").is_signed(b"content", signature)
    assert not Signer([b"another"], b"purpose").is_signed(b"content", signature)


def test_keys_may_have_any_length() -> None:
    assert len({Signer([b"k" * length], b"p").sign(b"") for length in (1, 32, 64, 65, 500)}) == 5


def test_workers_of_one_supervisor_have_one_secret_and_other_processes_their_own(
    tmp_path: Path,
) -> None:
    write_secret(str(tmp_path))
    assert read_secret(str(tmp_path)) == read_secret(str(tmp_path))
    assert len({read_secret(str(tmp_path)), Process().secret, Process().secret}) == 3
    assert Process().secret.hex() not in repr(Process())
