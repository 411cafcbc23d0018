"""When open documents will be paid."""

from datetime import date

import pandas as pd
import pytest

from runway_calcs.payment_timing import LEVELS, fit
from tests.runway_calcs.timing_ledgers import documents

FRIDAY = date(2026, 11, 20)


def test_a_payer_ten_days_late_is_expected_ten_days_late() -> None:
    history = documents(*({"due": f"2026-{month:02}-11", "paid": f"2026-{month:02}-21"} for month in range(1, 11)))
    open_item = documents({"due": "2026-12-04"}, number=100)
    found = fit(history, as_of=FRIDAY).predict(open_item)
    median = found[0.5].iloc[0]
    assert pd.Timestamp(2026, 12, 12) <= median <= pd.Timestamp(2026, 12, 16)
    assert list(found.columns) == list(LEVELS)


def test_nothing_known_is_still_an_estimate() -> None:
    found = fit(documents(), as_of=FRIDAY).predict(documents({"due": "2026-12-04"}, {"due": None}))
    assert (found > pd.Timestamp(FRIDAY)).all(axis=None)


def test_a_missing_column_is_named() -> None:
    with pytest.raises(ValueError, match="due_date"):
        fit(documents().drop(columns="due_date"), as_of=FRIDAY)
