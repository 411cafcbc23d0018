"""The draws of a forecast: every item and every week to come, a thousand times, in whole cents.

Belongs here: days and cents of each item in each draw, flows by kind and day, balances. Does not: figures for a reader
(``figures.py``), what to draw from (``prepared.py``).

Each item has a random stream of its own (seed and item id), documents of one counterparty move together
(``payment_timing.sample``), layer (c) has one stream: what is beside an item never changes its draws. That is what makes
"the same draws" of a scenario, of a correction or of last week's forecast possible.
"""

import hashlib
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
from numpy.typing import NDArray

from runway_calcs.books.cash_pieces import CashHabits
from runway_calcs.flow_kinds import KIND_NUMBER, REST_KINDS, FlowKind
from runway_calcs.forecast.dated_items import DatedItem, Dating
from runway_calcs.forecast.earmarks import BILL_KINDS, PurposeReserve
from runway_calcs.forecast.prepared import Prepared, Timing
from runway_calcs.forecast.recurring_items import draw_series_item, item_rng
from runway_calcs.forecast.run_off import RunOff, draw_run_off

Cents = NDArray[np.int64]
Days = NDArray[np.int64]

_REST_STREAM = 3
_TIMED_BY = ["document_id", "counterparty_id", "terms", "entered_date", "document_date", "due_date"]
"""Columns of an open document that its day of payment is drawn from."""
_ENOUGH_WAITS = 5
"""With fewer receipts of a weekday that were banked, its wait is that of any day."""
LATER = 1_000_000
"""Day number of what never comes within any horizon."""


def week_seed(tenant_id: str, *, as_of: date) -> int:
    """The seed of a tenant's week: a week that is calculated again draws the same."""
    return int.from_bytes(hashlib.sha256(f"{tenant_id} {as_of.isoformat()}".encode()).digest()[:4])


@dataclass(frozen=True, kw_only=True)
class Simulation:
    """All draws of a forecast. Days count from 1, the day after the as-of day."""

    opening_cents: int
    """Cash less reserves."""
    horizon_days: int
    items: tuple[DatedItem, ...]
    item_days: Days
    """Shape (item, draw)."""
    item_cents: Cents
    """Shape (item, draw), signed; 0 in the draws in which an item reaches the cash another way."""
    rest_cents: Cents
    """Layer (c): shape (kind of `REST_KINDS`, draw, day)."""
    reserves: tuple[PurposeReserve, ...]

    @property
    def draws(self) -> int:
        """How many draws there are."""
        return int(self.rest_cents.shape[1])

    def flows(self) -> Cents:
        """Signed cents by kind, draw and day: shape (kind of `FlowKind`, draw, day)."""
        flows = np.zeros((len(FlowKind), self.draws, self.horizon_days), dtype="int64")
        for number, kind in enumerate(REST_KINDS):
            flows[KIND_NUMBER[kind]] = self.rest_cents[number]
        kinds = np.array([KIND_NUMBER[item.kind] for item in self.items], dtype="int64")
        for number in np.unique(kinds):
            flows[number] += self._landed(kinds == number)
        return flows

    def _landed(self, chosen: NDArray[np.bool_]) -> Cents:
        """Signed cents of the chosen items by draw and day."""
        return landed(self.item_days[chosen], self.item_cents[chosen], horizon_days=self.horizon_days)

    def balances(self, flows: Cents | None = None) -> Cents:
        """Balance at the end of each day: shape (draw, day). Reserves are out of it until their purpose is paid."""
        moved = self.flows() if flows is None else flows
        found: Cents = self.opening_cents + np.cumsum(moved.sum(axis=0), axis=1)
        return found + self.released(moved)

    def released(self, flows: Cents) -> Cents:
        """What the reserves have given free by the end of each day of these flows, the draws' own: shape (draw, day)."""
        total: Cents = self.released_each(flows).sum(axis=0)
        return total

    def released_each(self, flows: Cents) -> Cents:
        """The same by reserve: shape (reserve, draw, day)."""
        vendors = {vendor for reserve in self.reserves for vendor in reserve.vendor_ids}
        bills = {vendor: self._bills_of(vendor)[:, : flows.shape[2]] for vendor in sorted(vendors)}
        return released_each(self.reserves, flows, bills)

    def _bills_of(self, vendor_id: str) -> Cents:
        """Signed cents of a vendor's bills, decided or not, by draw and day."""
        mine = [item.kind in BILL_KINDS and item.party_id == vendor_id for item in self.items]
        return self._landed(np.array(mine, dtype="bool"))


def landed(days: Days, cents: Cents, *, horizon_days: int) -> Cents:
    """Cents by draw and day of items given as (item, draw); what lies beyond the horizon is left out."""
    draws = days.shape[1]
    inside = days <= horizon_days
    place = (np.arange(draws) * horizon_days + days - 1)[inside]
    # Sums of whole cents below 2^53 are exact in the floats that bincount adds.
    summed = np.bincount(place, weights=cents[inside], minlength=draws * horizon_days)
    return summed.astype("int64").reshape(draws, horizon_days)


def released_each(reserves: Sequence[PurposeReserve], flows: Cents, bills: Mapping[str, Cents]) -> Cents:
    """What each reserve has given free by the end of each day: shape (reserve, draw, day).

    `flows` are signed cents by kind, draw and day, `bills` those of the bills of each vendor that a reserve names.
    """
    each: Cents = np.zeros((len(reserves), *flows.shape[1:]), dtype="int64")
    claimed: dict[FlowKind | str, Cents] = {}
    for place, reserve in enumerate(reserves):
        left: Cents = np.full(flows.shape[1:], reserve.held_cents, dtype="int64")
        for claim in reserve.claims:
            paid = claimed.get(claim)
            if paid is None:
                moved = flows[KIND_NUMBER[claim]] if isinstance(claim, FlowKind) else bills[claim]
                paid = -np.cumsum(np.minimum(moved, 0), axis=1)
            used = np.minimum(left, paid)
            # Two reserves for one purpose are given free one after the other, never for the same payment.
            claimed[claim] = paid - used
            left = left - used
        each[place] = reserve.held_cents - left
    return each


class DrawnBefore:
    """The draws of a forecast by all that they depend on, for a forecast of nearly the same books and the same seed."""

    def __init__(self, prepared: Prepared, simulation: Simulation) -> None:
        self.prepared = prepared
        self.simulation = simulation
        self._rows = {key: row for row, key in enumerate(_drawn_from(prepared))}

    def rows(self, prepared: Prepared) -> list[int | None]:
        """For each item of the other forecast the row of its draws, or None where they may be others."""
        before = self.prepared
        if prepared.habits != before.habits or any(
            timing.model is not before.timing[dating].model for dating, timing in prepared.timing.items()
        ):
            return [None] * len(prepared.items)
        has_same_series = prepared.spreads is before.spreads
        return [
            self._rows.get(key) if has_same_series or item.dating is not Dating.SERIES else None
            for item, key in zip(prepared.items, _drawn_from(prepared), strict=True)
        ]


def _drawn_from(prepared: Prepared) -> list[Hashable]:
    """What the draws of each item depend on, beside habits, timing models and spreads: itself and its open document."""
    documents = {
        dating: {str(row[0]): row for row in timing.open_documents[_TIMED_BY].itertuples(index=False, name=None)}
        for dating, timing in prepared.timing.items()
    }
    return [(item, documents.get(item.dating, {}).get(item.txn_id)) for item in prepared.items]


def simulate(
    prepared: Prepared, *, seed: int, draws: int | None = None, before: DrawnBefore | None = None
) -> Simulation:
    """The draws of a prepared forecast.

    `before` holds draws of the same seed and number: those that would come out the same are taken from it.

    Raises:
        ValueError: there is no cash figure to start from.
    """
    if prepared.opening_cents is None:
        raise ValueError(f"no cash figure, so nothing to simulate: {prepared.position.reason}")
    count = draws or prepared.policy.draws
    days, cents = _item_draws(prepared, seed=seed, draws=count, before=before)
    return Simulation(
        opening_cents=prepared.opening_cents,
        horizon_days=prepared.policy.horizon_days,
        items=prepared.items,
        item_days=days,
        item_cents=cents,
        rest_cents=draw_rest(prepared.run_off, prepared=prepared, seed=seed, draws=count),
        reserves=prepared.reserves,
    )


def draw_rest(run_off: RunOff, *, prepared: Prepared, seed: int, draws: int) -> Cents:
    """Layer (c) of a prepared forecast, from its own run-off or from another's: shape (kind, draw, day)."""
    rng = np.random.default_rng([seed, _REST_STREAM])
    return draw_run_off(
        run_off,
        factor=prepared.receipts_factor,
        at=prepared.at,
        policy=prepared.policy,
        draws=draws,
        rng=rng,
    )


def _item_draws(prepared: Prepared, *, seed: int, draws: int, before: DrawnBefore | None) -> tuple[Days, Cents]:
    if before is None:
        return _fresh_draws(prepared.items, prepared=prepared, timing=prepared.timing, seed=seed, draws=draws)
    known = before.rows(prepared)
    fresh = [row for row, at in enumerate(known) if at is None]
    kept = [row for row, at in enumerate(known) if at is not None]
    items = [prepared.items[row] for row in fresh]
    timing = {
        dating: one.only({item.txn_id for item in items if item.dating is dating})
        for dating, one in prepared.timing.items()
    }
    taken = np.array([at for at in known if at is not None], dtype="int64")
    days, cents = np.empty((2, len(known), draws), dtype="int64")
    days[kept], cents[kept] = before.simulation.item_days[taken], before.simulation.item_cents[taken]
    days[fresh], cents[fresh] = _fresh_draws(items, prepared=prepared, timing=timing, seed=seed, draws=draws)
    return days, cents


def _fresh_draws(
    items: Sequence[DatedItem], *, prepared: Prepared, timing: Mapping[Dating, Timing], seed: int, draws: int
) -> tuple[Days, Cents]:
    as_of = prepared.at.as_of
    days = np.empty((len(items), draws), dtype="int64")
    cents = np.empty((len(items), draws), dtype="int64")
    for row, item in enumerate(items):
        days[row] = (item.expected_on - as_of).days
        cents[row] = item.amount_cents
        if item.dating is Dating.SERIES:
            spread = prepared.spreads[("in" if item.amount_cents > 0 else "out", item.stream)]
            off, cents[row] = draw_series_item(item, spread, draws=draws, seed=seed)
            days[row] += off
    for dating, payers in timing.items():
        rows = [row for row, item in enumerate(items) if item.dating is dating]
        if rows:
            days[rows] = timing_days(payers, [items[row] for row in rows], draws=draws, seed=seed)
    for row, item in enumerate(items):
        if item.not_before is not None:
            days[row] = np.maximum(days[row], (item.not_before - as_of).days)
    _reach_the_cash(items, days, cents, habits=prepared.habits, seed=seed, as_of=as_of)
    return np.maximum(days, 1), cents


def timing_days(timing: Timing, items: Sequence[DatedItem], *, draws: int, seed: int) -> Days:
    """Days of payment of documents, drawn from the payment timing: shape (item, draw)."""
    return timing.likely.drawn([item.txn_id for item in items], count=draws, seed=seed)


def _reach_the_cash(
    items: Sequence[DatedItem], days: Days, cents: Cents, *, habits: CashHabits, seed: int, as_of: date
) -> None:
    """Change days and cents of documents by the way they reach the cash.

    A customer that pays to undeposited funds is in the bank some days later; a bill that goes through a card leaves the
    cash with the card's payment, which the card's own item holds; what is paid to or from an account that is not cash
    never reaches it.
    """
    pools = [own if len(own) >= _ENOUGH_WAITS else habits.deposit_wait_days for own in habits.deposit_waits]
    waits = np.array([wait for pool in pools for wait in pool], dtype="int64")
    sizes = np.array([len(pool) for pool in pools])
    starts = np.cumsum(sizes) - sizes
    draws = days.shape[1]
    for row, item in enumerate(items):
        if item.dating is Dating.CUSTOMER:
            drawer = habits.undeposited_share.get(item.party_id, 0.0) if len(waits) else 0.0
            elsewhere = habits.receipts_elsewhere.get(item.party_id, 0.0)
            if not drawer and not elsewhere:
                continue
            rng = item_rng(f"wait:{item.item_id}", seed=seed)
            way = rng.random(draws)
            if drawer:
                weekday = (as_of.weekday() + days[row]) % len(pools)
                which = starts[weekday] + (rng.random(draws) * sizes[weekday]).astype("int64")
                days[row] += np.where(way < drawer, waits[which], 0)
            cents[row] = np.where(way >= 1 - elsewhere, 0, cents[row])
        elif item.dating is Dating.VENDOR:
            away = habits.card_share.get(item.party_id, 0.0) + habits.payments_elsewhere.get(item.party_id, 0.0)
            if away:
                rng = item_rng(f"card:{item.item_id}", seed=seed)
                cents[row] = np.where(rng.random(draws) < away, 0, cents[row])


def with_items(simulation: Simulation, *, items: Sequence[DatedItem], days: Days, cents: Cents) -> Simulation:
    """The same draws with other items."""
    return replace(simulation, items=tuple(items), item_days=days, item_cents=cents)


def document_days(simulation: Simulation) -> Mapping[str, Days]:
    """Drawn days of payment of each open document, by item id ("Invoice:12", "Bill:7"): what priorities are taken from."""
    return {item.item_id: simulation.item_days[row] for row, item in enumerate(simulation.items) if item.txn_id}
