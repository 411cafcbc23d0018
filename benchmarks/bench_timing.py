"""Payment timing on a ledger in a file, by rolling origin: how far off the dates are, how wide the intervals, how often right.

    python -m benchmarks.bench_timing PATH

The file is "receivables_2466.csv" (its columns: customerID, invoiceNumber, InvoiceDate, DueDate, InvoiceAmount, SettledDate). At
40 Fridays, 2013-01-04 to 2013-10-04, the model is fitted to what was settled or open by then and predicts every open invoice;
what is known only afterwards (Disputed, DaysLate) is never passed. Beside the whole history: only invoices of the last 13
and of the last 8 weeks. The last line is one JSON object. The exit status is 1 if a figure is beyond its bar.
"""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the tests' measures

from runway_calcs.payment_timing import fit
from tests.runway_calcs.timing_measures import Said, measured

FRIDAYS = pd.date_range("2013-01-04", "2013-10-04", freq="7D")
#: Days of history that the model is given; None for all of it.
HISTORIES = {"all": None, "weeks_13": 91, "weeks_8": 56}
#: What each figure must lie between. With 8 weeks all that is asked is to be no worse than the due date, over all Fridays.
BARS: dict[str, dict[str, tuple[float, float]]] = {
    "all": {
        "mean_error_days": (0.0, 5.95),
        "pinball": (0.0, 1.72),
        "coverage": (0.77, 0.84),
        "width_days": (0.0, 21.5),
    },
    "weeks_13": {"mean_error_days": (0.0, 7.1)},
}


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("path", type=Path)
    arguments.add_argument("--every", type=int, default=1, help="only every so many Fridays, for a quick look")
    asked = arguments.parse_args()
    ledger = read(asked.path)
    figures: dict[str, Any] = {"invoices": len(ledger)}
    for name, days in HISTORIES.items():
        started = time.process_time()
        said = replay(ledger, fridays=FRIDAYS[:: asked.every], history_days=days)
        figures[name] = measured(Said.joined(said)) | {
            "fridays": len(said),
            "fridays_worse_than_due_date": sum(_is_worse_than_due_date(measured(one)) for one in said),
            "cpu_seconds": round(time.process_time() - started, 1),
        }
        print(name, figures[name], flush=True)
    figures["beyond_bar"] = beyond_bar(figures)
    print(json.dumps(figures))
    return int(bool(figures["beyond_bar"]))


def beyond_bar(figures: dict[str, Any]) -> list[str]:
    """Which figures are beyond their bar, as "history figure"."""
    found = [
        f"{history} {name}"
        for history, bars in BARS.items()
        for name, (least, most) in bars.items()
        if not least <= figures[history][name] <= most
    ]
    return found + ["weeks_8 mean_error_days"] * _is_worse_than_due_date(figures["weeks_8"])


def _is_worse_than_due_date(figures: dict[str, Any]) -> bool:
    return bool(figures["mean_error_days"] > figures["due_date_error_days"])


def read(path: Path) -> pd.DataFrame:
    """The ledger as payment timing takes it; an invoice is entered on its date."""
    rows = pd.read_csv(path, dtype={"invoiceNumber": str})
    dated = pd.to_datetime(rows["InvoiceDate"], format="%m/%d/%Y")
    return pd.DataFrame(
        {
            "document_id": rows["invoiceNumber"],
            "counterparty_id": rows["customerID"],
            "terms": "Net 30",
            "entered_date": dated,
            "document_date": dated,
            "due_date": pd.to_datetime(rows["DueDate"], format="%m/%d/%Y"),
            "amount_cents": (rows["InvoiceAmount"] * 100).round().astype("int64"),
            "paid_date": pd.to_datetime(rows["SettledDate"], format="%m/%d/%Y"),
        }
    )


def replay(ledger: pd.DataFrame, *, fridays: pd.DatetimeIndex, history_days: int | None) -> list[Said]:
    """What is said of every open invoice at each Friday, and what happened."""
    said = []
    for friday in fridays:
        known = ledger[ledger["document_date"] <= friday]
        still_open = known[~(known["paid_date"] <= friday)]
        if history_days is not None:
            known = known[known["document_date"] > friday - pd.Timedelta(days=history_days)]
        predicted = fit(known, as_of=friday.date()).predict(still_open)
        said.append(Said.of(predicted, still_open, friday=friday))
    return said


if __name__ == "__main__":
    sys.exit(main())
