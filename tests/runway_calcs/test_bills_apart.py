"""Bills beside the plan: each cent of a decided or dead bill stands there once."""

from datetime import date

import pandas as pd
import pytest

from runway_calcs.pay_plan.apart import DecidedPart, WhyApart, bills_apart

DAY = date(2026, 12, 4)


def _open(cents: int) -> pd.DataFrame:
    row = {
        "txn_type": "Bill",
        "qbo_id": "7",
        "party_id": "3",
        "party_name": "Vendor Three",
        "doc_number": "V3",
        "open_cents": cents,
    }
    return pd.DataFrame([row, row | {"txn_type": "VendorCredit", "qbo_id": "8"}])


@pytest.mark.parametrize(
    ("decided", "is_dead", "told"),
    [
        pytest.param(None, False, {}, id="planned"),
        pytest.param(None, True, {WhyApart.PROBABLY_DEAD: 1_000}, id="dead"),
        pytest.param(1_000, True, {WhyApart.DECIDED: 1_000}, id="dead and decided"),
        pytest.param(400, False, {WhyApart.DECIDED: 400}, id="decided in part"),
        pytest.param(
            400, True, {WhyApart.DECIDED: 400, WhyApart.PROBABLY_DEAD: 600}, id="decided in part, the rest dead"
        ),
        pytest.param(1_500, True, {WhyApart.DECIDED: 1_000}, id="decided beyond what is open"),
    ],
)
def test_what_is_decided_and_what_is_probably_dead_of_a_bill(
    *, decided: int | None, is_dead: bool, told: dict[WhyApart, int]
) -> None:
    parts = {} if decided is None else {"7": DecidedPart(cents=decided, on=DAY)}
    found = bills_apart(_open(1_000), decided=parts, dead={"7": 526} if is_dead else {})
    assert {one.why: one.cents for one in found} == told
    assert all(one.bill_id == "7" for one in found)
    assert [one.on for one in found] == [DAY if why is WhyApart.DECIDED else None for why in told]
