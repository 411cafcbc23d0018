"""Answers of payment timing are found under the ids that the caller gave, whatever kind of column they stood in."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from runway_calcs.payment_timing import fit
from runway_calcs.timing.items import COLUMNS

FRIDAY = date(2026, 11, 20)


def open_documents(*ids: object) -> pd.DataFrame:
    day = pd.Timestamp(2026, 11, 2)
    rows = [(one, "7", "", day, day, day + pd.Timedelta(days=30), 100_00, pd.NaT) for one in ids]
    frame = pd.DataFrame(rows, columns=list(COLUMNS)).astype({"paid_date": "datetime64[us]"})
    return frame.assign(document_id=pd.Series(ids, dtype="object"))


@pytest.mark.parametrize(
    "ids",
    [
        pytest.param((5, 12, 3), id="whole numbers"),
        pytest.param((np.int64(5), np.int64(12)), id="whole numbers of numpy"),
        pytest.param((5, "A-7", "12"), id="numbers beside text"),
        pytest.param(("5", "A-7"), id="text"),
    ],
)
def test_ids_in_a_column_of_objects_come_back_as_given(ids: tuple[object, ...]) -> None:
    model = fit(open_documents().assign(document_id=pd.Series(dtype="str")), as_of=FRIDAY)
    items = open_documents(*ids)
    for found in (model.predict(items), model.explain(items), model.sample(items, draws=2, seed=1)):
        assert list(found.index) == list(ids)
        assert [type(one) is str for one in found.index] == [type(one) is str for one in ids]
        for one in ids:
            assert found.loc[one].notna().all()
