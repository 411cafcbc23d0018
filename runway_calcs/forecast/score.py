"""The last forecast against what happened: in, out and closing of its first week, and what made the difference.

Belongs here: the comparison, its misses with names, and the running hit rate.
Does not: why this week's forecast differs (``change.py``), the accuracy of payment dates (``backtest.py``).

Judged are the days that both sides know, up to the day before the as-of day. The books are read before that day's own business
is keyed in (a payroll of 09:15 on a Friday that was read at 05:00): neither what was forecast for it nor what of it the books
hold already is counted, in figures, bands and the balance alike.

What happened is the cash that the books have learned of since the last forecast and that is dated up to that day: the week's
movements, and earlier ones that were keyed in late. Where purchases by card count, it is cash less what is owed on cards, on both
sides. Each is set against what the last forecast counted for it: documents
by document, series by series, the rest as one sum for each direction, and what reserves were to give free against payments
for their purpose and gave. Misses therefore sum exactly to the difference.
A miss is a matter of timing when the money is still to come, came on the as-of day itself or came before it was expected,
and permanent otherwise.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

import numpy as np
import pandas as pd

from runway_calcs.flow_kinds import DISBURSEMENT_KINDS, KIND_NUMBER, RECEIPT_KINDS, FlowKind, Layer
from runway_calcs.forecast.current import Forecasting
from runway_calcs.forecast.dated_items import DatedItem
from runway_calcs.forecast.earmarks import PurposeReserve
from runway_calcs.forecast.figures import Band, band, expected_flows
from runway_calcs.forecast.given_free import given_free
from runway_calcs.forecast.simulation import LATER, Simulation

MAX_HITS = 10
"""Weeks of the running hit rate."""


class ScoreState(StrEnum):
    """Whether there is a forecast to score."""

    SCORED = "scored"
    NO_LAST_FORECAST = "no last forecast"
    NOT_COMPUTABLE = "not computable"
    """There is no cash figure now."""


class MissCause(StrEnum):
    """What a difference is."""

    TIMING = "timing"
    """The money is still expected, or came before its time."""
    PERMANENT = "permanent"
    """More or less money than expected, not another day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One figure of the last forecast and what it came to, positive in both directions."""

    expected_cents: int
    """Expected path."""
    band: Band
    actual_cents: int

    @property
    def is_inside(self) -> bool:
        """Whether what happened lies within P10 to P90."""
        return self.band.p10_cents <= self.actual_cents <= self.band.p90_cents


@dataclass(frozen=True, slots=True, kw_only=True)
class Miss:
    """What one document, series or kind made of the difference: actual less expected, signed as cash."""

    kind: FlowKind
    label: str
    doc_number: str
    txn_type: str
    txn_id: str
    expected_cents: int
    """Signed, as the last forecast counted it within the week: its amount times its probability."""
    actual_cents: int
    """Signed cash that came or went."""
    cause: MissCause

    @property
    def miss_cents(self) -> int:
        """Positive: more cash than expected."""
        return self.actual_cents - self.expected_cents


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekHit:
    """Whether the closing balance of one week lay within the band of the forecast before it."""

    week_ending: date
    is_inside: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastScore:
    """How the last forecast's first week came out, up to the last day that the books know whole."""

    as_of: date
    last_as_of: date | None
    state: ScoreState
    reason: str
    """Why nothing is scored; empty otherwise."""
    receipts: Compared | None
    disbursements: Compared | None
    closing: Compared | None
    """At the end of `until`. Expected: the expected path; actual: cash less what reserves held then and have not given free. Both
    less what is owed on cards where purchases count."""
    timing_cents: int
    """Sum of the misses that are a matter of timing ..."""
    permanent_cents: int
    """... and of those that are not. Both sum to the miss of the closing balance with `corrected_cents`."""
    corrected_cents: int
    """What changed in the cash by edits and deletions of entries that the last forecast knew."""
    misses: tuple[Miss, ...]
    """Largest first; those of zero are left out."""
    hits: tuple[WeekHit, ...]
    """This week and the ones before it, newest first, at most `MAX_HITS`."""

    @property
    def until(self) -> date:
        """The last day that is judged, the day before `as_of`."""
        return _judged_until(self.as_of)

    @property
    def inside_count(self) -> int:
        """In how many of `hits` the balance lay within the band."""
        return sum(hit.is_inside for hit in self.hits)


def forecast_score(last: Forecasting | None, now: Forecasting, *, earlier: Sequence[WeekHit]) -> ForecastScore:
    """The score of the last forecast's first week, with the hits of the weeks before it (any order)."""
    as_of = now.forecast.as_of
    if now.prepared.position.cash_cents is None:
        return _without(as_of, last, earlier, state=ScoreState.NOT_COMPUTABLE, reason=now.forecast.reason)
    if last is None or last.simulation is None:
        reason = last.forecast.reason if last else "there are no books of an earlier week"
        return _without(as_of, last, earlier, state=ScoreState.NO_LAST_FORECAST, reason=reason)
    days = (_judged_until(as_of) - last.forecast.as_of).days
    if days < 1:
        raise ValueError(f"A forecast of {last.forecast.as_of} has no whole day to score by books of {as_of}.")
    owed = 0
    if now.prepared.position.card_basis == "purchase":
        last, owed = _with_cards_paid(last), now.prepared.position.card_owed_cents
    assert last.simulation is not None, "a scored forecast has draws"
    came, came_today = _came(last, now)
    reserves = _reserve_misses(last, now, days=days)
    moved = now.books.movements
    moved_today = moved.loc[moved["date"] == pd.Timestamp(as_of), "amount_cents"]
    cash = now.prepared.position.cash_cents - owed - int(moved_today.sum())
    receipts, disbursements, closing = _compared(last.simulation, came, cash_cents=cash, days=days, reserves=reserves)
    net = (
        receipts.expected_cents,
        receipts.actual_cents,
        -disbursements.expected_cents,
        -disbursements.actual_cents,
    )
    misses = _largest_first([*_misses(last, now, came=came, came_today=came_today, days=days, net=net), *reserves])
    timing = sum(miss.miss_cents for miss in misses if miss.cause is MissCause.TIMING)
    permanent = sum(miss.miss_cents for miss in misses if miss.cause is MissCause.PERMANENT)
    return ForecastScore(
        as_of=as_of,
        last_as_of=last.forecast.as_of,
        state=ScoreState.SCORED,
        reason="",
        receipts=receipts,
        disbursements=disbursements,
        closing=closing,
        timing_cents=timing,
        permanent_cents=permanent,
        corrected_cents=closing.actual_cents - closing.expected_cents - timing - permanent,
        misses=misses,
        hits=_hits(earlier, WeekHit(week_ending=as_of, is_inside=closing.is_inside)),
    )


def _with_cards_paid(last: Forecasting) -> Forecasting:
    """The forecast as if what was owed on cards had been paid at once.

    Where purchases count, what happened is told of cash and cards together: paying a card is nothing in it.
    """
    assert last.simulation is not None, "a scored forecast has draws"
    is_card = [item.layer is Layer.DOCUMENTS and item.kind is FlowKind.CARD for item in last.simulation.items]
    return replace(
        last,
        simulation=replace(
            last.simulation,
            opening_cents=last.simulation.opening_cents - last.prepared.position.card_owed_cents,
            item_days=np.where(np.array(is_card, dtype="bool")[:, None], LATER, last.simulation.item_days),
        ),
    )


def _judged_until(as_of: date) -> date:
    return as_of - timedelta(days=1)


def _without(
    as_of: date, last: Forecasting | None, earlier: Sequence[WeekHit], *, state: ScoreState, reason: str
) -> ForecastScore:
    return ForecastScore(
        as_of=as_of,
        last_as_of=last.forecast.as_of if last else None,
        state=state,
        reason=reason,
        receipts=None,
        disbursements=None,
        closing=None,
        timing_cents=0,
        permanent_cents=0,
        corrected_cents=0,
        misses=(),
        hits=_hits(earlier, None),
    )


def _hits(earlier: Sequence[WeekHit], newest: WeekHit | None) -> tuple[WeekHit, ...]:
    by_week = {hit.week_ending: hit for hit in [*earlier, *([newest] if newest else [])]}
    return tuple(by_week[week] for week in sorted(by_week, reverse=True)[:MAX_HITS])


def _came(last: Forecasting, now: Forecasting) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The pieces of movements that the last forecast did not hold, learned of since: those judged, and those of today."""
    held = last.books.movements
    held = held[held["date"] <= pd.Timestamp(last.forecast.as_of)]
    known = pd.MultiIndex.from_frame(held[["txn_type", "txn_id"]])
    pieces = now.books.pieces
    fresh = pieces[~pd.MultiIndex.from_frame(pieces[["txn_type", "txn_id"]]).isin(known)]
    is_today = fresh["day"] >= pd.Timestamp(now.forecast.as_of)
    return fresh[~is_today], fresh[is_today]


def _compared(
    last: Simulation, came: pd.DataFrame, *, cash_cents: int, days: int, reserves: Sequence[Miss]
) -> tuple[Compared, Compared, Compared]:
    flows = last.flows()[:, :, :days]
    expected = expected_flows(flows).sum(axis=1)
    drawn = flows.sum(axis=2)
    ins, outs = ([KIND_NUMBER[kind] for kind in kinds] for kinds in (RECEIPT_KINDS, DISBURSEMENT_KINDS))
    moved = came.groupby(["txn_type", "txn_id"])["cents"].sum()
    received, paid = int(moved[moved > 0].sum()), -int(moved[moved < 0].sum())
    reserved = sum(reserve.held_cents for reserve in last.reserves)
    free = last.released(flows)[:, -1]
    return (
        Compared(expected_cents=int(expected[ins].sum()), band=band(drawn[ins].sum(axis=0)), actual_cents=received),
        Compared(expected_cents=-int(expected[outs].sum()), band=band(-drawn[outs].sum(axis=0)), actual_cents=paid),
        Compared(
            expected_cents=last.opening_cents + int(expected.sum()) + sum(one.expected_cents for one in reserves),
            band=band(last.opening_cents + drawn.sum(axis=0) + free),
            actual_cents=cash_cents - reserved + sum(one.actual_cents for one in reserves),
        ),
    )


@dataclass(slots=True)
class _Expected:
    """What the last forecast counted for one document or series within the days that are judged."""

    item: DatedItem
    cents: int


def _misses(
    last: Forecasting, now: Forecasting, *, came: pd.DataFrame, came_today: pd.DataFrame, days: int, net: Sequence[int]
) -> list[Miss]:
    """Documents, series, then what is left of each direction (`net`: receipts and payments, expected and actual)."""
    assert last.simulation is not None, "a scored forecast has draws"
    still_open = {f"{item.txn_type}:{item.txn_id}" for item in now.prepared.items if item.txn_id}
    late = {series.stream for series in now.prepared.series if series.next_dates[0] <= now.forecast.as_of}
    billed = {item.party_id for item in now.prepared.items if item.txn_id and item.party_id}
    expected = _expected(last.simulation, days=days)
    actual = _by_item(came, now, documents=expected.keys())
    today = _by_item(came_today, now, documents=expected.keys())
    found = []
    left = {True: [net[0], net[1]], False: [net[2], net[3]]}
    for key, one in expected.items():
        is_series = one.item.layer is Layer.RECURRING
        cents = actual[is_series].get(key, 0)
        is_in = one.item.amount_cents > 0
        left[is_in][0] -= one.cents
        left[is_in][1] -= cents
        is_still_expected = one.item.stream in late or one.item.party_id in billed
        is_to_come = is_still_expected and not cents if is_series else key in still_open
        waits = is_to_come or (key in today[is_series] and not cents)
        found.append(_miss(one.item, expected_cents=one.cents, actual_cents=cents, waits=waits))
    found += [_rest(kind, *left[is_in]) for is_in, kind in ((True, FlowKind.NEW_SALES), (False, FlowKind.NEW_BILLS))]
    return found


def _by_item(came: pd.DataFrame, now: Forecasting, *, documents: Collection[str]) -> dict[bool, dict[str, int]]:
    """Signed cents that came: by document (False) of those that the last forecast held, all else by series (True)."""
    is_held = came["document"].isin(list(documents))
    movements = now.books.movements.set_index(["txn_type", "txn_id"])["stream"]
    streams = movements.reindex(pd.MultiIndex.from_frame(came[["txn_type", "txn_id"]])).fillna("").to_numpy()
    series = pd.Series(np.where(came["cents"] > 0, "in:", "out:"), index=came.index) + pd.Series(
        streams, index=came.index
    )
    held, others = came[is_held], came[~is_held]
    sums = (held.groupby("document")["cents"].sum(), others["cents"].groupby(series[~is_held]).sum())
    return {bool(number): {str(key): int(cents) for key, cents in found.items()} for number, found in enumerate(sums)}


def _largest_first(found: Sequence[Miss]) -> tuple[Miss, ...]:
    """Those that are not zero."""
    ordered = sorted(found, key=lambda miss: (-abs(miss.miss_cents), miss.kind, miss.label, miss.txn_id))
    return tuple(miss for miss in ordered if miss.miss_cents)


def _reserve_misses(last: Forecasting, now: Forecasting, *, days: int) -> list[Miss]:
    """What each reserve with a claim was to give free within these days, and gave: what is left in it comes another time."""
    assert last.simulation is not None, "a scored forecast has draws"
    reserves = last.simulation.reserves
    if not any(reserve.claims for reserve in reserves):
        return []
    each = last.simulation.released_each(last.simulation.flows()[:, :, :days])[:, :, -1].sum(axis=1)
    # Rounded on the running sum, as the forecast rounds what all of them give free.
    running = (2 * np.cumsum(each) + last.simulation.draws) // (2 * last.simulation.draws)
    expected = np.diff(running, prepend=0)
    until = _judged_until(now.forecast.as_of)
    gave = given_free(
        reserves, before=last.books.movements, since=now.books.movements, after=last.forecast.as_of, until=until
    )
    return [
        _reserve_miss(reserve, expected_cents=int(expected[place]), actual_cents=int(gave[place, -1]))
        for place, reserve in enumerate(reserves)
        if reserve.claims
    ]


def _expected(last: Simulation, *, days: int) -> dict[str, _Expected]:
    """By document ("Bill:7") or series ("out:payroll"): items without either are told with the rest."""
    within = np.where(last.item_days <= days, last.item_cents, 0).sum(axis=1)
    cents = (2 * within + last.draws) // (2 * last.draws)
    found: dict[str, _Expected] = {}
    for item, expected in zip(last.items, cents, strict=True):
        if item.layer is Layer.RECURRING:
            key = _series_key(item.stream, is_in=item.amount_cents > 0)
        elif item.txn_type in ("Bill", "Invoice"):
            key = f"{item.txn_type}:{item.txn_id}"
        else:
            continue
        found.setdefault(key, _Expected(item=item, cents=0)).cents += int(expected)
    return found


def _series_key(stream: str, *, is_in: bool) -> str:
    return f"{'in' if is_in else 'out'}:{stream}"


def _miss(item: DatedItem, *, expected_cents: int, actual_cents: int, waits: bool) -> Miss:
    """The miss of a document or series; `waits`: it is still to come.

    What came although little of it was expected so early is a matter of timing too; what went without cash (credited,
    voided) or came in another amount is permanent.
    """
    came_early = actual_cents != 0 and abs(expected_cents) * 2 < abs(actual_cents)
    is_paid_document = item.layer is Layer.DOCUMENTS and actual_cents != 0
    cause = MissCause.TIMING if waits or came_early or is_paid_document else MissCause.PERMANENT
    return Miss(
        kind=item.kind,
        label=item.label,
        doc_number=item.doc_number,
        txn_type=item.txn_type,
        txn_id=item.txn_id,
        expected_cents=expected_cents,
        actual_cents=actual_cents,
        cause=cause,
    )


def _reserve_miss(reserve: PurposeReserve, *, expected_cents: int, actual_cents: int) -> Miss:
    return Miss(
        kind=min(reserve.purposes, key=KIND_NUMBER.__getitem__, default=FlowKind.BILL),
        label=f"Reserve {reserve.label}",
        doc_number="",
        txn_type="",
        txn_id="",
        expected_cents=expected_cents,
        actual_cents=actual_cents,
        cause=MissCause.TIMING,
    )


def _rest(kind: FlowKind, expected_cents: int, actual_cents: int) -> Miss:
    return Miss(
        kind=kind,
        label="",
        doc_number="",
        txn_type="",
        txn_id="",
        expected_cents=expected_cents,
        actual_cents=actual_cents,
        cause=MissCause.PERMANENT,
    )
