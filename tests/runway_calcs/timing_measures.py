"""How payment dates are measured: errors in days, pinball loss, coverage and width of the 80 % interval.

Belongs here: measures of predictions against what happened. Does not: ledgers (``timing_ledgers.py``), replaying them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd

from runway_calcs.payment_timing import LEVELS

_DAY = np.timedelta64(1, "D")
_LOW, _MEDIAN, _HIGH = (LEVELS.index(level) for level in (0.1, 0.5, 0.9))


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """Predictions in days after the as-of day, a row each, and what happened."""

    quantiles: Any
    happened: Any
    due: Any
    """Of the due-date rule; NaN without a due date."""

    @classmethod
    def of(cls, predicted: pd.DataFrame, items: pd.DataFrame, *, friday: pd.Timestamp) -> Self:
        """What was said at a Friday of items with their true `paid_date`; unpaid ones are left out."""
        paid = items["paid_date"].notna().to_numpy()
        due = ((items["due_date"] - friday) / _DAY).to_numpy(dtype="float64")
        return cls(
            quantiles=((predicted.to_numpy() - np.datetime64(friday)) / _DAY)[paid],
            happened=((items["paid_date"] - friday) / _DAY).to_numpy(dtype="float64")[paid],
            due=np.maximum(due, 1.0)[paid],
        )

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """All of them."""
        return cls(
            quantiles=np.concatenate([one.quantiles for one in parts]),
            happened=np.concatenate([one.happened for one in parts]),
            due=np.concatenate([one.due for one in parts]),
        )


def measured(said: Said) -> dict[str, Any]:
    """The measures, rounded for reading."""
    error = said.happened[:, None] - said.quantiles
    levels = np.array(LEVELS)
    inside = (error[:, _LOW] >= 0) & (error[:, _HIGH] <= 0)
    has_due = ~np.isnan(said.due)
    due = np.abs(said.happened - said.due)[has_due]
    return {
        "predictions": len(error),
        "mean_error_days": round(float(np.abs(error[:, _MEDIAN]).mean()), 2),
        "due_date_error_days": round(float(due.mean()), 2) if len(due) else None,
        "pinball": round(float(np.maximum(levels * error, (levels - 1) * error).mean()), 3),
        "coverage": round(float(inside.mean()), 3),
        "width_days": round(float((said.quantiles[:, _HIGH] - said.quantiles[:, _LOW]).mean()), 2),
    }
