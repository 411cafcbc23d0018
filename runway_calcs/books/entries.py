"""When transactions were entered, as far as their time of entry can be believed.

Belongs here: which times of entry are those of an import or a catch-up, and what counts in their place.
Does not: what follows from an entry (``cash_pieces.py``, ``payment_history.py``).

QuickBooks gives all that was imported from another program the time of the import, and what was entered in one go for a
quarter has the time of that evening. Taken as they are, such times say that every Friday before missed all cash of its
past, and that no document was known before it was paid. But the books of those Fridays were elsewhere or nowhere, and say
nothing of what Fridays to come will miss. So such a transaction counts as entered in the evening of its own day.
"""

import numpy as np
import pandas as pd

_LATE = pd.Timedelta(days=42)
"""Books kept monthly are entered up to six weeks late, and are believed; what is entered later is late beyond any habit."""
_LEAST = 5
_SHARE = 1 / 3
"""In a week of an import or a catch-up so many late transactions are entered, and they are so large a part of all: then the
rest of it, dated in the last six weeks, is believed no more. Some that were forgotten are no catch-up."""
_EVENING = pd.Timedelta(hours=23)
"""In UTC: in America after the morning's forecast and before the day ends, as of most that is entered promptly."""
_WEEK = 7


def credible_entries(rows: pd.DataFrame, *, singly: bool = False) -> "pd.Series[pd.Timestamp]":
    """`created_at` of each row, or the evening of its `txn_date` where it was imported or caught up with.

    `rows` hold one version of each transaction. `singly`: late ones count from their own day outside of a catch-up too; so
    it is with cash, where a single one would be missing on all the Fridays in between.
    """
    created = rows["created_at"]
    evening = (rows["txn_date"] + _EVENING).dt.tz_localize("UTC")
    is_late = created - evening > _LATE
    days = created.dt.tz_localize(None).to_numpy().astype("datetime64[D]").astype(np.int64)
    of_week = is_late.groupby(days // _WEEK)
    late = of_week.transform("sum")
    is_batch = (late >= _LEAST) & (late >= _SHARE * of_week.transform("size"))
    is_doubtful = is_batch | is_late if singly else is_batch
    return created.mask(is_doubtful & (evening < created), evening)
