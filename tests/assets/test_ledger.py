"""The ledger of a week from kept versions: what is mended in QuickBooks stops no later week."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, cast

import pandas as pd
import pytest

from assets.books import make_ledger
from assets.desk import Desk
from resources.qbo.columns import Version
from resources.qbo.home_currency import NotConvertible
from resources.qbo.kinds import Kind
from tests.resources.qbo.builders import KNOWN_AT, D, ref, version

_LATER = KNOWN_AT + timedelta(days=7)
_COMPANY = (version("CompanyInfo", "1"), version("Preferences", "1"))
_WITHOUT_RATE = (version("Bill", CurrencyRef=ref("EUR")), version("BillPayment", "146", CurrencyRef=ref("EUR")))
_SAVED = {"known_at": _LATER, "CurrencyRef": ref("EUR"), "ExchangeRate": D("1.10")}


class _Desk:
    """Kept versions, and the frames that are made of them."""

    def __init__(self, *kept: Version) -> None:
        self._kept = kept
        self.frames: dict[str, pd.DataFrame] = {}

    def versions(self, kind: Kind) -> list[Version]:
        return [one for one in self._kept if one[1].entity == kind.entity]

    def put_frame(self, table: str, frame: pd.DataFrame) -> Mapping[str, Any]:
        self.frames[table] = frame
        return {}

    def put_result(self, _table: str, _result: object) -> Mapping[str, Any]:
        return {}


def test_documents_that_were_given_their_rate_in_quickbooks_are_figures_from_the_next_sync_on() -> None:
    """The message said to save them there, and the versions without a rate stopped every digest all the same."""
    with pytest.raises(NotConvertible, match="Bill 145"):
        make_ledger(cast("Desk", _Desk(*_COMPANY, *_WITHOUT_RATE)))
    desk = _Desk(*_COMPANY, *_WITHOUT_RATE, version("Bill", **_SAVED), version("BillPayment", "146", **_SAVED))
    make_ledger(cast("Desk", desk))
    assert list(desk.frames["books/documents"]["total_cents"]) == [110_00, 110_00, 66_00, 66_00]
    for table in ("applications", "postings", "bill_lines"):
        assert len(desk.frames[f"books/{table}"]) == 2
