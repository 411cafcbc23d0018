"""Payment timing replayed on past Fridays, as an asset of its own.

Belongs here: which Fridays, what is kept from earlier runs, what the UI shows. Does not: the replay (`runway_calcs/backtest.py`).

It runs at night and not in the Friday run, which nobody wants to wait for it. A night on which no week and no horizon has
ended fits nothing: the records of the runs before are taken over.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta

import dagster as dg

from assets.desk import Desk, WeekTable, result_schema, week_assets
from assets.tenants import Metadata
from runway_calcs.backtest import BacktestFriday, DateErrors, backtest, band_record
from runway_calcs.books.open_items import Side
from runway_calcs.policy import BacktestPolicy

TABLE = "backtest/payment_timing"
_SIDES: tuple[Side, ...] = ("receivables", "payables")
_COLUMNS = {
    "friday": "string",
    "side": "string",
    "open": "int",
    "paid in the week": "string",
    "band": "string",
    "inside": "string",
    "dates": "int",
    "error in days": "string",
    "due date": "string",
    "customer mean": "string",
    "13-week mean": "string",
    "80 % covers": "string",
    "width in days": "string",
}


def _payment_timing(desk: Desk) -> Metadata:
    policy = BacktestPolicy()
    as_of = desk.week.as_of
    documents, applications = desk.frame("books/documents"), desk.frame("books/applications")
    fridays = [desk.point_of(as_of - timedelta(weeks=weeks)) for weeks in range(1, policy.fridays + 1)]
    earlier = desk.kept_records(TABLE, BacktestFriday, weeks=policy.fridays)
    found = tuple(
        one
        for side in _SIDES
        for one in backtest(
            documents, applications, side=side, now=desk.at, fridays=fridays, earlier=earlier, policy=policy
        )
    )
    return {**desk.put_records(TABLE, found, kind=BacktestFriday), **_shown(found, earlier=earlier)}


def _shown(found: Sequence[BacktestFriday], *, earlier: Sequence[BacktestFriday]) -> Metadata:
    """What the UI shows beside every table's metadata: the record of the bands and all figures by Friday."""
    fitted = set(found) - set(earlier)
    columns = [dg.TableColumn(name, kind) for name, kind in _COLUMNS.items()]
    rows = [dg.TableRecord(_row(one)) for one in sorted(found, key=lambda one: (one.side, one.friday), reverse=True)]
    shown: dict[str, dg.MetadataValue] = {
        f"{side}_band": dg.MetadataValue.text(band_record(found, side=side).text) for side in _SIDES
    }
    shown["fitted_fridays"] = dg.MetadataValue.int(len(fitted))
    shown["figures"] = dg.MetadataValue.table(rows, schema=dg.TableSchema(columns=columns))
    return shown


def _row(one: BacktestFriday) -> Mapping[str, str | int]:
    inside = {True: "yes", False: "no", None: "nothing open"}
    return {
        "friday": one.friday.isoformat(),
        "side": one.side,
        "open": one.documents,
        "paid in the week": _money(one.paid_cents),
        "band": f"{_money(one.band_low_cents)} to {_money(one.band_high_cents)}",
        "inside": inside[one.is_inside],
        **_dates(one.dates),
    }


def _dates(dates: DateErrors | None) -> Mapping[str, str | int]:
    if dates is None:
        return {"dates": 0, **dict.fromkeys(list(_COLUMNS)[7:], "not yet")}
    return {
        "dates": dates.documents,
        "error in days": f"{dates.model_days:.1f}",
        "due date": f"{dates.due_date_days:.1f}",
        "customer mean": f"{dates.customer_mean_days:.1f}",
        "13-week mean": f"{dates.recent_mean_days:.1f}",
        "80 % covers": f"{dates.covered_percent:.0f} %",
        "width in days": f"{dates.width_days:.1f}",
    }


def _money(cents: int) -> str:
    return f"{cents // 100:,}.{cents % 100:02}"


BACKTESTS = (
    WeekTable(
        key=TABLE,
        description="Past Fridays replayed with what was known on them: the payment dates foreseen beside those of simpler "
        "rules, and the money of the week after beside its band.",
        deps=("books/documents", "books/applications"),
        columns=result_schema(BacktestFriday),
        work=_payment_timing,
    ),
)

BACKTEST_ASSETS = (week_assets("backtests", BACKTESTS),)
