"""Documents and whole ledgers for the tests of payment timing.

Belongs here: builders of the frames that `fit` takes, and simulated ledgers of several kinds of payers. Does not: tests.
"""

from typing import Any

import pandas as pd

_DTYPES = {
    "document_id": "str",
    "counterparty_id": "str",
    "terms": "str",
    "entered_date": "datetime64[us]",
    "document_date": "datetime64[us]",
    "due_date": "datetime64[us]",
    "amount_cents": "int64",
    "paid_date": "datetime64[us]",
}


def documents(*rows: dict[str, Any], number: int = 1) -> pd.DataFrame:
    """Documents of counterparty "a", 30 days from their date to the due date, numbered from `number`.

    A row may say `due`, `dated`, `entered`, `paid` (ISO text), `of`, `terms`, `cents` and `id`.
    """
    filled = []
    for place, row in enumerate(rows):
        due = pd.Timestamp(row["due"]) if row.get("due") else pd.NaT
        month = pd.Timedelta(days=30)
        dated = pd.Timestamp(row.get("dated", due - month if row.get("due") else "2026-11-02"))
        filled.append(
            {
                "document_id": row.get("id", f"{number + place:05}"),
                "counterparty_id": row.get("of", "a"),
                "terms": row.get("terms", "Net 30"),
                "entered_date": pd.Timestamp(row.get("entered", dated)),
                "document_date": dated,
                "due_date": due,
                "amount_cents": row.get("cents", 100_00),
                "paid_date": pd.Timestamp(row["paid"]) if row.get("paid") else pd.NaT,
            }
        )
    return pd.DataFrame({name: pd.Series([row[name] for row in filled], dtype=kind) for name, kind in _DTYPES.items()})
