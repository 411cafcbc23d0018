"""Which kind of payer each counterparty is: the posterior over the kinds, and the weekdays of payments.

Belongs here: likelihood with delayed entry and censoring, shrinkage, weekday habits. Does not: dates (``payment_timing.py``).

A paid document says P(lateness) / P(not paid before it was entered); an open one P(not paid until now) / the same. The
prior of a counterparty is that of its terms class, which is shrunk to the tenant's, which is shrunk to the shipped one.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import gammaln

from runway_calcs.timing_items import Floats, Ints, Items, weekday
from runway_calcs.timing_shapes import CELLS, FIRST_DAY, shapes

_WEEKDAY_PRIOR = np.array([0.21, 0.20, 0.20, 0.19, 0.18, 0.01, 0.01])
"""Payments by weekday, Monday first, where nothing is known: business days, few at weekends."""
_WEEKDAY_STRENGTHS = np.array([1.0, 3.0, 10.0, 30.0, 100.0, 1000.0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """How strongly each level is held to the one above it; measured on several kinds of ledgers, not per tenant."""

    tenant_strength: float = 10.0
    """The shipped prior counts as so many counterparties ..."""
    class_strength: float = 10.0
    """... and the tenant's as so many of a terms class."""
    evidence_weight: float = 0.7
    """Documents of one counterparty are paid together, so each counts for less than an independent one."""
    half_life_days: float = 365.0
    """A payment this long ago counts half."""
    rounds: int = 6
    """Steps of expectation-maximization."""


TUNING = Tuning()


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """What the history says about payers."""

    counterparties: dict[str, int]
    """Counterparty -> its row."""
    documents: frozenset[str]
    """Documents whose waiting is part of the likelihood."""
    class_log_prior: dict[str, Floats]
    """Terms -> log prior over kinds (x anchors)."""
    tenant_log_prior: Floats
    log_likelihood: Floats
    """counterparties x kinds (x anchors)."""
    weekdays: Floats
    """counterparties x 7, relative to an even week."""
    tenant_weekdays: Floats
    correlation: float
    """Of the normal scores of one counterparty's documents."""
    anchors: int
    """1: due dates and document dates say the same; 2: kinds by due date, then kinds by document date."""


def cells(days: Ints) -> NDArray[np.int64]:
    """The cell of each lateness."""
    found: NDArray[np.int64] = np.clip(days - FIRST_DAY, 0, CELLS - 1)
    return found


def item_log_likelihood(items: Items, *, today: int, anchors: int) -> Floats:
    """Items x kinds (x anchors): how likely what happened to each document is, given that it was entered when it was."""
    known = shapes()
    parts = []
    for anchor in (items.due_anchor, items.document_anchor)[:anchors]:
        paid = known.log_mass[cells(items.paid - anchor)]
        waiting = known.log_left[cells(today + 1 - anchor)]
        entered = known.log_left[cells(items.entered - anchor)]
        # Entered after today: no time at risk yet.
        waiting = np.minimum(waiting - entered, 0.0)
        parts.append(np.where(items.is_paid[:, None], paid - entered, waiting))
    return np.concatenate(parts, axis=1)


def fit_habits(items: Items, *, today: int, tuning: Tuning) -> Habits:
    """Everything the history says; from no rows on."""
    differ = bool((items.due_anchor != items.document_anchor).any())
    anchors = 2 if differ else 1
    prior = np.tile(shapes().prior, anchors) / anchors
    names, rows = np.unique(items.counterparty_ids.astype("str"), return_inverse=True)
    each = item_log_likelihood(items, today=today, anchors=anchors)
    log_likelihood = np.zeros((len(names), len(prior)))
    if len(names):
        age = today - np.where(items.is_paid, items.paid, today)
        weight = tuning.evidence_weight * 0.5 ** (age / tuning.half_life_days)
        starts = np.flatnonzero(np.diff(rows, prepend=-1))
        log_likelihood = np.add.reduceat(each * weight[:, None], starts, axis=0)
    tenant, by_class = _priors(log_likelihood, terms=_terms_of(items, rows, len(names)), prior=prior, tuning=tuning)
    weekdays, tenant_weekdays = _weekdays(items, rows=rows, count=len(names))
    return Habits(
        counterparties={str(name): row for row, name in enumerate(names)},
        documents=frozenset(items.document_ids),
        class_log_prior={name: np.log(one) for name, one in by_class.items()},
        tenant_log_prior=np.log(tenant),
        log_likelihood=log_likelihood,
        weekdays=weekdays,
        tenant_weekdays=tenant_weekdays,
        correlation=0.4,
        anchors=anchors,
    )


def _terms_of(items: Items, rows: Ints, count: int) -> NDArray[Any]:
    """The most frequent terms of each counterparty."""
    if not count:
        return np.array([], dtype=object)
    frame = pd.DataFrame({"row": rows, "terms": items.terms})
    sizes = frame.value_counts(["row", "terms"]).rename("n").reset_index()
    first = sizes.sort_values(["row", "n", "terms"], ascending=[True, False, True]).drop_duplicates("row")
    return first["terms"].to_numpy(dtype=object)


def _priors(
    log_likelihood: Floats, *, terms: NDArray[Any], prior: Floats, tuning: Tuning
) -> tuple[Floats, dict[str, Floats]]:
    """The tenant's and each terms class's prior by expectation-maximization, shrunk to what stands above them."""
    likelihood = np.exp(log_likelihood - log_likelihood.max(axis=1, keepdims=True, initial=-np.inf))
    tenant = prior
    for _ in range(tuning.rounds):
        tenant = _raised(likelihood, prior=tenant, above=prior, strength=tuning.tenant_strength)
    by_class: dict[str, Floats] = {}
    for name in sorted({str(one) for one in terms}):
        rows = likelihood[terms == name]
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


def _weekdays(items: Items, *, rows: Ints, count: int) -> tuple[Floats, Floats]:
    """Payments by weekday of each counterparty and of all, relative to an even week, each shrunk to the next above."""
    counts = np.zeros((count, 7))
    paid = items.is_paid
    np.add.at(counts, (rows[paid], weekday(items.paid[paid])), 1.0)
    total = counts.sum(axis=0)
    tenant = (total + 20 * _WEEKDAY_PRIOR) / (total.sum() + 20)
    strength = _strength(counts, tenant)
    own = (counts + strength * tenant) / (counts.sum(axis=1, keepdims=True) + strength)
    return 7 * own, 7 * tenant


def _strength(counts: Floats, mean: Floats) -> float:
    """How much alike the counterparties are: the Dirichlet strength under which their weekdays are most likely."""
    own = counts[counts.sum(axis=1) > 1]
    fits = [
        (gammaln(a) - gammaln(a + own.sum(axis=1)) + (gammaln(a * mean + own) - gammaln(a * mean)).sum(axis=1)).sum()
        - 0.5 * np.log(a / 10) ** 2
        for a in _WEEKDAY_STRENGTHS
    ]
    return float(_WEEKDAY_STRENGTHS[int(np.argmax(fits))])
