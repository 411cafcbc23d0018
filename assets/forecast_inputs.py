"""What a week's forecast starts from: its ledger, what people had entered by then, and the forecast with its draws.

Belongs here: gathering them once for a desk. Does not: figures (`runway_calcs`), entries (`resources/entries.py`).
"""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pandas as pd

from assets.books import home_currency
from assets.desk import Desk
from assets.known_payments import delays, earmarks, known_payments, ledger_target
from resources.entry_records import TargetEntry
from runway_calcs.books.as_of import AsOf
from runway_calcs.books.books_at import with_positions
from runway_calcs.books.cash import CashPosition
from runway_calcs.books.corrections import Ledger
from runway_calcs.books.movements import NON_OPERATING
from runway_calcs.forecast.current import Forecasting, current_forecast
from runway_calcs.forecast.historical import historical_forecast
from runway_calcs.forecast.known_items import DateOverride, KnownItem
from runway_calcs.forecast.prepared import ForecastInputs
from runway_calcs.forecast.score import MAX_HITS, ForecastScore, WeekHit, forecast_score
from runway_calcs.forecast.simulation import week_seed
from runway_calcs.policy import RecurringPolicy
from runway_calcs.reserves.targets import ReserveKind, ReserveTarget, TargetRule

WEEK = timedelta(weeks=1)


def ledger(desk: Desk) -> Ledger:
    """The week's ledger tables."""
    return desk.once(
        "ledger",
        lambda: Ledger(
            documents=desk.frame("books/documents"),
            applications=desk.frame("books/applications"),
            postings=desk.frame("books/postings"),
            accounts=desk.frame("books/accounts"),
            parties=desk.frame("books/parties"),
            terms=desk.frame("books/terms"),
        ),
    )


def forecast_inputs(desk: Desk, *, at: AsOf | None = None) -> ForecastInputs:
    """What people and payments had told the forecast when the week's books (or those of an earlier point of view) were read.

    What they said or decided later belongs to later weeks.
    """
    known = known_payments(desk, at=at)
    holds, reserves = earmarks(known, at=at or desk.at)
    entries, tenant, until = desk.installation.entries, desk.week.tenant.tenant_id, (at or desk.at).known_until
    return ForecastInputs(
        known_items=tuple(
            KnownItem(
                item_id=one.item_id,
                day=one.day,
                amount_cents=one.amount_cents,
                label=one.label,
                author=one.said.author,
                reason=one.said.reason,
                expires_on=one.expires_on,
                recorded_at=one.said.recorded_at,
            )
            for one in entries.items(tenant, recorded_until=until)
        ),
        date_overrides=tuple(
            DateOverride(
                txn_type=one.txn_type,
                txn_id=one.txn_id,
                expected_on=one.expected_on,
                author=one.said.author,
                reason=one.said.reason,
                expires_on=one.expires_on,
                recorded_at=one.said.recorded_at,
            )
            for one in entries.overrides(tenant, recorded_until=until)
        ),
        holds=holds,
        delays=delays(known),
        reserves=reserves,
    )


def forecasting(desk: Desk) -> Forecasting:
    """The week's forecast with its draws, made once for all tables of a run that need them."""

    def made() -> Forecasting:
        books = with_positions(
            ledger(desk),
            at=desk.at,
            policy=desk.cash_policy,
            position=desk.result("books/cash_position", CashPosition),
            movements=desk.frame("books/cash_movements"),
            payables=desk.frame("books/open_bills"),
            receivables=desk.frame("books/open_invoices"),
        )
        return current_forecast(
            books,
            inputs=forecast_inputs(desk),
            policy=desk.forecast_policy,
            recurring_policy=RecurringPolicy(),
            seed=week_seed(desk.week.tenant.tenant_id, as_of=desk.at.as_of),
        )

    return desk.once("forecasting", made)


def last_forecasting(desk: Desk) -> Forecasting:
    """The forecast of the week before, made again from what was known then."""
    return desk.once("last_forecasting", lambda: past_forecasting(desk, as_of=desk.at.as_of - WEEK))


def past_forecasting(desk: Desk, *, as_of: date) -> Forecasting:
    """The forecast of an earlier Friday, made again from what was known then."""
    at = desk.point_of(as_of)
    return historical_forecast(
        ledger(desk),
        at=at,
        home_currency=home_currency(desk),
        inputs=forecast_inputs(desk, at=at),
        cash_policy=desk.cash_policy,
        policy=desk.forecast_policy,
        recurring_policy=RecurringPolicy(),
        seed=week_seed(desk.week.tenant.tenant_id, as_of=at.as_of),
    )


def earlier_hits(desk: Desk) -> tuple[WeekHit, ...]:
    """Whether the balances of the weeks before this one lay within the bands of the forecasts before them.

    Weeks count whose last forecast was made from books as they were read then, not rebuilt. A week's score is the one that
    was stored; it is made again if the week was never calculated, so that the order in which weeks are calculated changes
    nothing.
    """
    found: list[WeekHit] = []
    for back in range(1, MAX_HITS):
        week = desk.at.as_of - back * WEEK
        if desk.point_of(week - WEEK).is_reconstructed:
            break
        score = desk.earlier_result("runway/forecast_score", ForecastScore, as_of=week) or _past_score(desk, as_of=week)
        found.extend(hit for hit in score.hits if hit.week_ending == week)
    return tuple(found)


def _past_score(desk: Desk, *, as_of: date) -> ForecastScore:
    last, then = past_forecasting(desk, as_of=as_of - WEEK), past_forecasting(desk, as_of=as_of)
    return forecast_score(last, then, earlier=())


def reserve_targets(desk: Desk) -> tuple[ReserveTarget, ...]:
    """The targets of reserves that stood when the week's books were read, by id.

    A target that was entered goes before the one that the payment ledger's reserve of the same id was opened with.
    """
    entries = desk.installation.entries
    found = entries.reserves(desk.week.tenant.tenant_id, recorded_until=desk.week.known_until)
    given = {one.reserve_id: one for reserve in known_payments(desk).reserves if (one := ledger_target(reserve))}
    targets = given | {one.reserve_id: _target(one, desk=desk) for one in found}
    return tuple(targets[reserve_id] for reserve_id in sorted(targets))


def _target(entry: TargetEntry, *, desk: Desk) -> ReserveTarget:
    value = entry.amount_cents or entry.basis_points or entry.month_hundredths
    assert value is not None, "the table keeps a value for each rule"
    is_dated_share = entry.basis_points is not None and entry.due_on is not None
    return ReserveTarget(
        reserve_id=entry.reserve_id,
        kind=ReserveKind(entry.kind),
        name=entry.name,
        rule=TargetRule(entry.rule),
        value=value,
        due_on=entry.due_on,
        received_cents=_received(entry, desk=desk) if is_dated_share else 0,
    )


def _received(entry: TargetEntry, *, desk: Desk) -> int:
    """Receipts after the day on which a target was recorded, up to the as-of day and before the target's own."""
    recorded_on = entry.said.recorded_at.astimezone(ZoneInfo(desk.week.tenant.zone)).date()
    until = min(desk.at.as_of, (entry.due_on or date.max) - timedelta(days=1))
    moved = desk.frame("books/cash_movements")
    is_within = (moved["date"] > pd.Timestamp(recorded_on)) & (moved["date"] <= pd.Timestamp(until))
    is_receipt = (moved["amount_cents"] > 0) & ~moved["kind"].isin(NON_OPERATING)
    return int(moved.loc[is_within & is_receipt, "amount_cents"].sum())
