"""Ids that other tests send as odd but legal are legal."""

from __future__ import annotations

import pytest

from stream_jobs.events.account_ids import account_id_fault, is_account_id
from tests.integration.test_pipeline import ODD_IDS
from tests.store_cases import ODD_IDS as STORED_IDS


@pytest.mark.parametrize("account_id", [*ODD_IDS, *STORED_IDS], ids=ascii)
def test_odd_ids_that_are_sent_are_legal(account_id: str) -> None:
    assert is_account_id(account_id), account_id_fault(account_id)
