"""How a property is checked: a fixed sample by default, many more examples in the long suite.

Belongs here: the number of examples and the settings of hypothesis. Does not: properties.
"""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SAMPLE = 12
FULL = 500
CHAIN_SAMPLE = 3
CHAIN_FULL = 30
IDENTITY_SAMPLE = 4
IDENTITY_FULL = 1_000


def _examples(sample: int, full: int) -> pytest.MarkDecorator:
    counts = [pytest.param(sample, id="sample"), pytest.param(full, id="full", marks=pytest.mark.long)]
    return pytest.mark.parametrize("examples", counts)


EXAMPLES = _examples(SAMPLE, FULL)
"""Gives a test its `examples`."""
CHAIN_EXAMPLES = _examples(CHAIN_SAMPLE, CHAIN_FULL)
"""The same for a test that runs all calculators on each of them, some tenths of a second each."""
IDENTITY_EXAMPLES = _examples(IDENTITY_SAMPLE, IDENTITY_FULL)
"""For the one test that holds every identity of a Friday against a thousand ledgers."""


def holds(check: Callable[..., None], *, examples: int, **strategies: st.SearchStrategy[object]) -> None:
    """Runs `check` on so many drawn examples; the same ones each time in the sample and in the long suite alike."""
    configured = settings(
        max_examples=examples,
        deadline=None,  # the first call of pandas takes a second on a busy machine
        derandomize=True,
        database=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    configured(given(**strategies)(check))()
