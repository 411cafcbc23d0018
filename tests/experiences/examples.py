"""Digests of every kind, one of each."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from runway_calcs.books.burn import BurnState
from runway_calcs.books.cash import CashState
from runway_calcs.collection.priority import PriorityState
from runway_calcs.forecast.change import ChangeState
from runway_calcs.forecast.score import ScoreState
from runway_calcs.hygiene.defects import Severity
from tests.experiences.builders import NO_CHANGE, NO_SCORE, make_burn, make_cash, make_change, make_digest
from tests.experiences.priority_builders import make_collections, make_defect, make_priorities

NOTHING_TO_RANK = make_priorities(
    collections=make_collections(state=PriorityState.NOT_COMPUTABLE, low_on=None, contacts=()),
    bills=(),
    plan=None,
    defects=(),
    set_aside=0,
    score=None,
)
NO_DATA = make_digest(
    priorities=NOTHING_TO_RANK,
    cash=make_cash(
        accounts=(), left_out=(), state=CashState.NO_DATA, reason="the books hold no bank account", card_owed_cents=0
    ),
    burn=make_burn(state=BurnState.NO_DATA, gross=None, net=None, reason="the books hold no cash movements"),
    flows=(),
    bills=(),
    invoices=(),
    receivables_ageing=None,
    payables_ageing=None,
    change=NO_CHANGE,
    score=NO_SCORE,
)
NOT_COMPUTABLE = make_digest(
    priorities=NOTHING_TO_RANK,
    cash=make_cash(accounts=(), state=CashState.NOT_COMPUTABLE, reason="every bank account is in another currency"),
    burn=make_burn(state=BurnState.NOT_COMPUTABLE, gross=None, net=None, reason="only 6 of 13 weeks are known"),
    change=replace(NO_CHANGE, state=ChangeState.NOT_COMPUTABLE),
    score=replace(NO_SCORE, state=ScoreState.NOT_COMPUTABLE, reason="every bank account is in another currency"),
)
NOT_BURNING = make_digest(burn=make_burn(state=BurnState.NOT_BURNING, gross=100_000, net=-25_050))
ZERO = make_digest(accounts=(("Operating checking", 0),))
TIGHT = make_digest(accounts=(("Operating checking", 2_514_007),), floor_cents=1_240_000)
STALE = make_digest(synced=datetime(2026, 11, 17, 10, 0, tzinfo=UTC))
REBUILT = make_digest(
    synced=datetime(2026, 11, 23, 15, 0, tzinfo=UTC),
    known_until=datetime(2026, 11, 20, 10, 0, tzinfo=UTC),
    connected=datetime(2026, 11, 23, 15, 0, tzinfo=UTC),
)
QUIET = make_digest(
    change=make_change(days=0), priorities=make_priorities(defects=[make_defect(severity=Severity.NON_BLOCKING)] * 3)
)
EXAMPLES = [
    pytest.param(make_digest(), id="healthy"),
    pytest.param(TIGHT, id="tight"),
    pytest.param(ZERO, id="zero"),
    pytest.param(NO_DATA, id="no data"),
    pytest.param(NOT_COMPUTABLE, id="not computable"),
    pytest.param(NOT_BURNING, id="not burning"),
    pytest.param(QUIET, id="quiet"),
    pytest.param(STALE, id="stale"),
    pytest.param(REBUILT, id="rebuilt"),
    pytest.param(make_digest(currency="CHF"), id="francs"),
]
