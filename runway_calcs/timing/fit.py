"""Which kind of payer each counterparty is: the posterior over the kinds, and the weekdays of payments.

Belongs here: likelihood with delayed entry and censoring, shrinkage, weekday habits. Does not: dates (``payment_timing.py``).

A paid document says P(lateness) / P(not paid before it was entered); an open one P(not paid until now) / the same. The
prior of a counterparty is that of its terms class, which is shrunk to the tenant's, which is shrunk to the shipped one.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from runway_calcs.timing.calendar import PayDays, calendars_of, pay_days, weekday_leans
from runway_calcs.timing.cases import Cases, cases_of, weights
from runway_calcs.timing.drift import Drift, drift_of
from runway_calcs.timing.items import Floats, Ints, Items
from runway_calcs.timing.shapes import CELLS, FIRST_DAY, shapes
from runway_calcs.timing.silence import paying_or_stopped, silent_since, stopped_share, stopping_chance

_BLOCK = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """How strongly each level is held to the one above it; measured on several kinds of ledgers, not per tenant."""

    tenant_strength: float = 10.0
    """The shipped prior counts as so many counterparties ..."""
    class_strength: float = 10.0
    """... and the tenant's as so many of a terms class."""
    alike: float = 0.03
    """Documents of one counterparty are paid together: n of them count as n / (1 + (n - 1) x this) independent ones."""
    half_life_days: float = 270.0
    """A payment this long ago counts half."""
    truth_strength: float = 60.0
    """Trust in the model's own probabilities, in documents."""
    rounds: int = 6
    """Steps of expectation-maximization."""


TUNING = Tuning()


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """What the history says about payers."""

    counterparties: dict[str, int]
    """Counterparty -> its row."""
    documents: dict[str, float]
    """What each document counts in the likelihood of its counterparty."""
    class_log_prior: dict[str, Floats]
    """Terms -> log prior over kinds (x anchors)."""
    tenant_log_prior: Floats
    log_likelihood: Floats
    """counterparties x kinds (x anchors)."""
    calendars: Ints
    """counterparties + 1: the calendar of pay days of each; the last one of a counterparty nobody knows."""
    weekdays: Floats
    """counterparties + 1 x 7: how much likelier each weekday is than the calendar makes it."""
    days: PayDays
    drift: Drift
    stopped: Floats
    """counterparties + 1: the probability that each has stopped paying (``silence.py``)."""
    correlation: float
    """Of the normal scores of one counterparty's documents."""
    anchors: int
    """1: due dates and document dates say the same; 2: kinds by due date, then kinds by document date."""


def cells(days: Ints) -> NDArray[np.int64]:
    """The cell of each lateness."""
    found: NDArray[np.int64] = np.clip(days - FIRST_DAY, 0, CELLS - 1)
    return found


def item_log_likelihood(
    items: Items, *, calendars: Ints, days: PayDays, today: Ints, anchors: int, later: Ints | int = 0
) -> Floats:
    """Items x kinds (x anchors): how likely what happened to each document is, given that it was entered when it was.

    A payment on a pay day says that the document became ready since the pay day before.
    """
    left = shapes().left
    last_run = days.previous(calendars, today + 1)
    ready_from = np.where(days.holds(calendars, items.paid), days.previous(calendars, items.paid) + 1, items.paid)
    # Ready before it was entered is no different from ready when it was entered.
    ready_from = np.where(ready_from <= items.entered, np.minimum(items.entered, items.paid), ready_from)
    parts = []
    for dated in (items.due_anchor, items.document_anchor)[:anchors]:
        # A payment counts as late as it would be today; moving the anchor moves all that is measured from it.
        anchor = dated - later
        entered = left[cells(np.minimum(items.entered, ready_from) - anchor)]
        first = np.where(items.is_paid, ready_from, np.maximum(last_run + 1, items.entered))
        happened = left[cells(first - anchor)]
        after = left[cells(items.paid + 1 - anchor)]
        happened = happened - np.where(items.is_paid[:, None], after, 0.0)
        parts.append(np.log(np.maximum(happened, 1e-12) / entered))
    return np.concatenate(parts, axis=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """The habits, and what is needed to see how they would have done."""

    habits: Habits
    cases: Cases
    case_log_likelihood: Floats
    """Cases x kinds (x anchors): of what the counterparty had paid by the day of the case."""


def fit_habits(items: Items, *, today: int, tuning: Tuning) -> Fitted:
    """Everything the history says; from no rows on."""
    differ = bool((items.due_anchor != items.document_anchor).any())
    anchors = 2 if differ else 1
    prior = np.tile(shapes().prior, anchors) / anchors
    names, rows = np.unique(items.counterparty_ids.astype("str"), return_inverse=True)
    days = pay_days(today)
    calendars, usual = calendars_of(items, rows=rows, count=len(names), days=days)
    drift = drift_of(items, rows=rows, count=len(names), today=today)
    later = np.where(
        items.is_paid,
        drift.since[np.minimum(today - np.where(items.is_paid, items.paid, today), len(drift.since) - 1)],
        0,
    )
    weight = _weights(items, rows=rows, count=len(names), today=today, tuning=tuning)
    cases = cases_of(
        items, rows=rows, drift=drift.since, today=today, half_life_days=tuning.half_life_days, alike=tuning.alike
    )
    log_likelihood = np.zeros((len(names), len(prior)))
    of_cases = np.zeros((len(cases.then), len(prior)))
    for start in range(0, len(items), _BLOCK):
        block = slice(start, start + _BLOCK)
        each = item_log_likelihood(
            items.take(block),
            calendars=calendars[rows[block]],
            days=days,
            today=np.full(len(rows[block]), today),
            anchors=anchors,
            later=later[block],
        )
        starts = np.flatnonzero(np.diff(rows[block], prepend=-1))
        log_likelihood[rows[block][starts]] += np.add.reduceat(each * weight[block, None], starts, axis=0)
        _add_cases(of_cases, cases=cases, each=each, start=start)
    since = silent_since(items, rows=rows, count=len(names))
    stopped = _without_silence(
        items, rows=rows, since=since, weight=weight, calendars=calendars, days=days, today=today, like=log_likelihood
    )
    stopped += log_likelihood
    chance = stopping_chance(since, today=today)
    terms = _terms_of(items, rows, len(names))
    likelihood = _likelihood(log_likelihood, stopped, chance=chance)
    tenant, by_class = _priors(likelihood, terms=terms, prior=prior, tuning=tuning)
    del likelihood
    class_log_prior = {name: np.log(one) for name, one in by_class.items()}
    share = _stopped_share(log_likelihood, stopped, chance=chance, terms=terms, log_priors=class_log_prior)
    habits = Habits(
        counterparties={str(name): row for row, name in enumerate(names)},
        documents=dict(zip(items.document_ids, weight.tolist(), strict=True)),
        class_log_prior=class_log_prior,
        tenant_log_prior=np.log(tenant),
        log_likelihood=log_likelihood,
        calendars=np.append(calendars, usual),
        weekdays=weekday_leans(items, rows=rows, calendars=calendars, usual=usual, days=days),
        days=days,
        drift=drift,
        stopped=np.append(share, 0.0),
        correlation=0.4,
        anchors=anchors,
    )
    return Fitted(habits=habits, cases=cases, case_log_likelihood=of_cases)


def _without_silence(
    items: Items, *, rows: Ints, since: Ints, weight: Floats, calendars: Ints, days: PayDays, today: int, like: Floats
) -> Floats:
    """What the waiting of open documents since the counterparty's last payment took from each kind's log likelihood."""
    gain = np.zeros_like(like)
    waiting = np.flatnonzero(~items.is_paid & (since[rows] < today))
    anchors = like.shape[1] // len(shapes().prior)
    for start in range(0, len(waiting), _BLOCK):
        at = waiting[start : start + _BLOCK]
        some, of = items.take(at), calendars[rows[at]]
        until = [np.full(len(at), today), np.maximum(since[rows[at]], some.entered - 1)]
        now, then = (item_log_likelihood(some, calendars=of, days=days, today=day, anchors=anchors) for day in until)
        starts = np.flatnonzero(np.diff(rows[at], prepend=-1))
        gain[rows[at][starts]] += np.add.reduceat((then - now) * weight[at, None], starts, axis=0)
    return gain


def _add_cases(of_cases: Floats, *, cases: Cases, each: Floats, start: int) -> None:
    """Add the part of the cases' earlier documents that lies in this block."""
    for number, (at, weight) in enumerate(cases.earlier):
        if len(at) and at[0] < start + len(each) and at[-1] >= start:
            inside = (at >= start) & (at < start + len(each))
            of_cases[number] += weight[inside] @ each[at[inside] - start]


def _weights(items: Items, *, rows: Ints, count: int, today: int, tuning: Tuning) -> Floats:
    heard = np.where(items.is_paid, items.paid, today)
    bounds = np.searchsorted(rows, np.arange(count + 1))
    found = np.empty(len(items))
    for first, end in pairwise(bounds):
        found[first:end] = weights(heard[first:end], half_life_days=tuning.half_life_days, alike=tuning.alike)
    return found


def _terms_of(items: Items, rows: Ints, count: int) -> NDArray[Any]:
    """The most frequent terms of each counterparty."""
    if not count:
        return np.array([], dtype=object)
    frame = pd.DataFrame({"row": rows, "terms": items.terms})
    sizes = frame.value_counts(["row", "terms"]).rename("n").reset_index()
    first = sizes.sort_values(["row", "n", "terms"], ascending=[True, False, True]).drop_duplicates("row")
    return first["terms"].to_numpy(dtype=object)


# Thousands of one-time customers times some thousand kinds are much memory: what is made of them row by row is made in blocks.


def _likelihood(paying: Floats, stopped: Floats, *, chance: Floats) -> Floats:
    """Counterparties x kinds: how likely each kind is if it may have stopped too, the likeliest 1."""
    found = np.empty_like(paying)
    for start in range(0, len(found), _BLOCK):
        block = slice(start, start + _BLOCK)
        either = paying_or_stopped(paying[block], stopped[block], chance=chance[block])
        found[block] = np.exp(either - either.max(axis=1, keepdims=True))
    return found


def _stopped_share(
    paying: Floats, stopped: Floats, *, chance: Floats, terms: NDArray[Any], log_priors: dict[str, Floats]
) -> Floats:
    """Probability of each counterparty having stopped, by the prior of its terms class."""
    found = np.empty(len(paying))
    for start in range(0, len(found), _BLOCK):
        block = slice(start, start + _BLOCK)
        log_prior = np.array([log_priors[name] for name in terms[block]])
        found[block] = stopped_share(paying[block], stopped[block], chance=chance[block], log_prior=log_prior)
    return found


def _priors(
    likelihood: Floats, *, terms: NDArray[Any], prior: Floats, tuning: Tuning
) -> tuple[Floats, dict[str, Floats]]:
    """The tenant's and each terms class's prior by expectation-maximization, shrunk to what stands above them."""
    tenant = prior
    for _ in range(tuning.rounds):
        tenant = _raised(likelihood, prior=tenant, above=prior, strength=tuning.tenant_strength)
    by_class: dict[str, Floats] = {}
    for name in sorted({str(one) for one in terms}):
        alike = terms == name
        rows = likelihood if alike.all() else likelihood[alike]
        found = tenant
        for _ in range(tuning.rounds):
            found = _raised(rows, prior=found, above=tenant, strength=tuning.class_strength)
        by_class[name] = found
    return tenant, by_class


def _raised(likelihood: Floats, *, prior: Floats, above: Floats, strength: float) -> Floats:
    evidence = likelihood @ prior
    posterior = prior * (likelihood.T @ (1.0 / evidence))
    found: Floats = (strength * above + posterior) / (strength + len(likelihood))
    return found
