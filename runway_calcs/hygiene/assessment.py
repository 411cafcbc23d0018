"""What is wrong in the books, what each defect does to the forecast, and a score of their state.

Belongs here: all defects in one list, their effects by recomputation, the score and its parts.
Does not: the finders (``documents.py``, ``duplicates.py``, ``accounts.py``); the forecast itself,
which comes in as a function; what a reader is told.

The effect of a defect is never a fixed percentage: the ledger is corrected (``books/corrections.py``), the forecast is made again
with the same draws, and the difference is the effect. Effects do not add up over defects.

    score = 100 - sum of the parts' points
    part  = points of the kind x min(1, share befallen / full share), rounded up: one defect costs at least one point
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from runway_calcs.books.as_of import Basis
from runway_calcs.books.cash import CashPosition
from runway_calcs.books.corrections import Correction
from runway_calcs.hygiene.accounts import account_defects, recent_purchases
from runway_calcs.hygiene.defects import Defect, DefectKind, Effect, EffectState, KnownBooks, Severity
from runway_calcs.hygiene.documents import document_defects
from runway_calcs.hygiene.duplicates import duplicate_defects
from runway_calcs.policy import CashPolicy, HygienePolicy

Figures = tuple[int | None, int]
"""Median runway in days (None: beyond the horizon) and low-water mark in cents, of one forecast."""
Recompute = Callable[[Correction], Figures]
"""The forecast of the ledger with a correction, made with the same draws as the forecast as it is."""

WHOLE_SCORE = 100
_BY_SEVERITY = {Severity.BLOCKING: 0, Severity.NON_BLOCKING: 1}


class HygieneState(StrEnum):
    """Whether there is a score."""

    SCORED = "scored"
    NO_DATA = "no data"
    """The books hold no document and no entry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScorePart:
    """What one kind of defect takes from the score."""

    kind: DefectKind
    found: int
    """Defects of the kind with money still to move."""
    of: int
    """How many objects it could befall."""
    points: int
    """Taken from the score."""
    most_points: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hygiene:
    """The state of a tenant's books as of a day."""

    as_of: date
    basis: Basis
    state: HygieneState
    score: int | None
    """0 to 100; None without data."""
    parts: tuple[ScorePart, ...]
    """A part for each kind, in the order of `DefectKind`: 100 less their points is the score."""
    blocking_count: int
    non_blocking_count: int
    defects: tuple[Defect, ...]
    """Blocking first, then by effect on the runway and the low-water mark, then by amount."""


def hygiene(
    books: KnownBooks,
    *,
    position: CashPosition,
    base: Figures | None,
    recompute: Recompute | None,
    horizon_days: int,
    policy: HygienePolicy,
    cash_policy: CashPolicy,
) -> Hygiene:
    """Every defect of the books with its effect, and their score.

    Args:
        books: the ledger as known (``hygiene_defects.known_books``).
        position: the cash of the same point of view.
        base: the figures of the forecast as it is; None when there is no forecast.
        recompute: the figures with a correction; None when there is no forecast.
        horizon_days: length of the forecast: a runway beyond it counts as the day after its end.
        policy: thresholds and points.
        cash_policy: which subtypes are payroll, tax and undeposited.
    """
    found = [
        *document_defects(books, policy=policy),
        *duplicate_defects(books, policy=policy),
        *account_defects(books, position=position, policy=policy, cash_policy=cash_policy),
    ]
    assessed = with_effects(found, base=base, recompute=recompute, horizon_days=horizon_days, policy=policy)
    has_data = not (books.documents.empty and books.postings.empty)
    parts = score_parts(assessed, of=_exposed(books, position=position, policy=policy), policy=policy)
    severities = Counter(defect.severity for defect in assessed)
    return Hygiene(
        as_of=books.as_of,
        basis=books.at.basis,
        state=HygieneState.SCORED if has_data else HygieneState.NO_DATA,
        score=WHOLE_SCORE - sum(part.points for part in parts) if has_data else None,
        parts=parts,
        blocking_count=severities[Severity.BLOCKING],
        non_blocking_count=severities[Severity.NON_BLOCKING],
        defects=tuple(sorted(assessed, key=_rank)),
    )


def with_effects(
    defects: Sequence[Defect],
    *,
    base: Figures | None,
    recompute: Recompute | None,
    horizon_days: int,
    policy: HygienePolicy,
) -> list[Defect]:
    """The defects with their effects: the largest are put through the forecast, at most so many as the policy says."""
    waiting = [defect for defect in defects if _is_recomputable(defect)]
    chosen = {one.key for one in sorted(waiting, key=_rank_before)[: policy.most_recomputed]}
    assessed = []
    for defect in defects:
        if not _is_recomputable(defect):
            effect = _effect_without_forecast(defect)
        elif base is None or recompute is None or defect.correction is None:
            effect = _no_effect(EffectState.NOT_COMPUTED, "there is no forecast to compare with")
        elif defect.key not in chosen:
            effect = _no_effect(
                EffectState.NOT_COMPUTED,
                f"smaller than the {policy.most_recomputed} that were put through the forecast",
            )
        else:
            effect = effect_of(base, recompute(defect.correction), horizon_days=horizon_days)
        assessed.append(replace(defect, effect=effect))
    return assessed


def effect_of(base: Figures, corrected: Figures, *, horizon_days: int) -> Effect:
    """The change from the forecast as it is to the corrected one; a runway beyond the horizon counts as the day after it."""
    before, after = (horizon_days + 1 if days is None else days for days in (base[0], corrected[0]))
    days, low = after - before, corrected[1] - base[1]
    is_bound = (base[0] is None) != (corrected[0] is None)
    state = EffectState.VALUE if days or low else EffectState.ZERO
    reason = "the forecast made again with the correction, same draws"
    if is_bound:
        reason += f"; one of the two runways lies beyond {horizon_days} days, so the change in days is a bound"
    return Effect(state=state, runway_days=days, is_bound=is_bound, low_water_cents=low, reason=reason)


def score_parts(
    defects: Sequence[Defect], *, of: Mapping[DefectKind, int], policy: HygienePolicy
) -> tuple[ScorePart, ...]:
    """What each kind takes from the score; kinds without a defect take nothing."""
    most = {DefectKind(kind): points for kind, points in policy.points}
    if sum(most.values()) != WHOLE_SCORE or set(most) != set(DefectKind):
        raise ValueError(f"the points of the kinds of defects have to name each kind and sum to {WHOLE_SCORE}")
    found = Counter(defect.kind for defect in defects if defect.is_open)
    return tuple(_part(kind, found=found[kind], of=of[kind], most=most[kind], policy=policy) for kind in DefectKind)


def _part(kind: DefectKind, *, found: int, of: int, most: int, policy: HygienePolicy) -> ScorePart:
    # Rounded up: the least defect is seen in the score.
    exposed = max(of, found, 1)
    points = min(most, -(-most * found * 100 // (exposed * policy.full_share_percent)))
    return ScorePart(
        kind=kind,
        found=found,
        of=exposed if found else of,
        points=points,
        most_points=most,
        reason=f"{found} of {exposed}; all {most} points from {policy.full_share_percent} % on"
        if found
        else "none found",
    )


def _exposed(books: KnownBooks, *, position: CashPosition, policy: HygienePolicy) -> dict[DefectKind, int]:
    """How many objects each kind of defect could befall."""
    documents = books.documents
    is_open = documents["open_cents"] != 0
    owed = int((documents["txn_type"].isin(("Bill", "Invoice")) & is_open).sum())
    purchases = recent_purchases(books, policy=policy)
    with_open = int(documents.loc[is_open, ["txn_type", "party_id"]].drop_duplicates().shape[0])
    return {
        DefectKind.STALE_BOOKS: 1,
        DefectKind.MISSING_DUE_DATE: owed,
        DefectKind.MISSING_TERMS: owed,
        DefectKind.MISSING_VENDOR: int((purchases["txn_type"] == "Purchase").sum()),
        DefectKind.UNCATEGORIZED: len(purchases),
        DefectKind.DUPLICATE_BILL: int(((documents["txn_type"] == "Bill") & is_open).sum()),
        DefectKind.DUPLICATE_VENDOR: len(books.vendors()),
        DefectKind.UNDEPOSITED: 1,
        DefectKind.UNAPPLIED: int(is_open.sum()),
        DefectKind.NEGATIVE_BALANCE: with_open + len(position.accounts),
        DefectKind.FAR_PAST: owed,
        DefectKind.FUTURE_DATED: owed,
    }


def _is_recomputable(defect: Defect) -> bool:
    return defect.correction is not None and defect.is_open


def _effect_without_forecast(defect: Defect) -> Effect:
    if defect.correction is not None:
        return Effect(
            state=EffectState.ZERO,
            runway_days=0,
            is_bound=False,
            low_water_cents=0,
            reason="settled: nothing of it is still to come",
        )
    return _no_effect(EffectState.NOT_COMPUTABLE, "what the right entry would be is not known from the books")


def _no_effect(state: EffectState, reason: str) -> Effect:
    return Effect(state=state, runway_days=None, is_bound=False, low_water_cents=None, reason=reason)


def _rank_before(defect: Defect) -> tuple[int, int, tuple[str, str, str]]:
    return (_BY_SEVERITY[defect.severity], -defect.amount_cents, defect.key)


def _rank(defect: Defect) -> tuple[int, int, int, int, tuple[str, str, str]]:
    effect = defect.effect
    return (
        _BY_SEVERITY[defect.severity],
        -abs(effect.runway_days or 0),
        -abs(effect.low_water_cents or 0),
        -defect.amount_cents,
        defect.key,
    )
