"""What the books say equals the sandbox's own journal, to the cent: today and on three past Fridays."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from assets.books import POSITIONS, make_ledger
from assets.calculators import CALCULATORS
from assets.desk import Desk, newest_desk
from resources.clock import FixedClock
from resources.installation import Installation, RunWeek
from resources.store import RECONSTRUCTED_AT
from runway_calcs.books.ageing import Ageing
from runway_calcs.books.cash import CashPosition
from tests.conftest import FRIDAY
from tests.firm import Firm, dagster_instance
from tests.sandbox import Sandbox

_ZONE = "America/Chicago"
_INDUSTRIES = ("marketing_agency", "construction", "professional_services", "e_commerce", "consulting")
_WEEKS = tuple(FRIDAY - timedelta(weeks=weeks) for weeks in (0, 1, 5, 26))
_SEEDS = (7, 8, 9)
_BUCKETS = ("current", "1-30", "31-60", "61-90", "91+")


@pytest.fixture
def firm(tmp_path: Path, installation: Installation, sandbox: Sandbox) -> Iterator[Firm]:
    with dagster_instance(tmp_path / "dagster") as instance:
        yield Firm(installation, instance, sandbox)


def _known(desk: Desk) -> dict[str, Any]:
    """What the tables of a week hold, in the shape of the truth."""
    position = desk.result("books/cash_position", CashPosition)
    return {
        "cash_cents": position.cash_cents,
        "trust_cents": position.trust_cents,
        "undeposited_cents": position.undeposited_cents,
        "payables": _side(desk.frame("books/open_bills"), desk.result("runway/payables_ageing", Ageing)),
        "receivables": _side(desk.frame("books/open_invoices"), desk.result("runway/receivables_ageing", Ageing)),
    }


def _side(items: pd.DataFrame, aged: Ageing) -> dict[str, Any]:
    return {
        "total_cents": aged.total_cents,
        "open": dict(zip(zip(items["txn_type"], items["qbo_id"], strict=True), items["open_cents"], strict=True)),
        "ageing": dict(zip(_BUCKETS, aged.bucket_cents, strict=True)),
    }


def _truth(firm: Firm, realm_id: str, week: date, clock: FixedClock) -> dict[str, Any]:
    """The sandbox's truth of that Friday: at the sync for the newest week, at 05:00 local for a week before the connection."""
    cut = datetime.combine(week, RECONSTRUCTED_AT, tzinfo=ZoneInfo(_ZONE)).astimezone(UTC)
    instant = clock.now() if week == FRIDAY else cut
    found = firm.sandbox.truth(realm_id, basis="known", day=week, instant=instant)
    return {
        "cash_cents": found["cash_cents"],
        "trust_cents": found["trust_cents"],
        "undeposited_cents": found["undeposited_cents"],
        "payables": _true_side(found["payables"], sign=-1),
        "receivables": _true_side(found["receivables"], sign=1),
    }


def _true_side(side: dict[str, Any], *, sign: int) -> dict[str, Any]:
    return {
        "total_cents": sign * side["account_cents"],
        "open": {(one["txn_type"], one["id"]): one["open_cents"] for one in side["open"]},
        "ageing": side["ageing"],
    }


def _compare(firm: Firm, clock: FixedClock, *, industry: str, size: str, seed: int) -> None:
    tenant = industry.replace("_", "-")
    company = firm.company(tenant, industry=industry, size=size, seed=seed, zone=_ZONE)
    firm.installation.smart_sync.sync(company.tenant)
    ageings = [table for table in CALCULATORS if table.key in ("runway/payables_ageing", "runway/receivables_ageing")]
    for friday in _WEEKS:
        # The assets' own work on a real desk; that Dagster calls it is `test_friday.py`'s subject.
        week = RunWeek(week_ending=friday, started_at=clock.now())
        with newest_desk(company.tenant, installation=firm.installation, week=week) as desk:
            make_ledger(desk)
            for table in (*POSITIONS, *ageings):
                table.work(desk)
            assert _known(desk) == _truth(firm, company.realm_id, friday, clock), (industry, size, seed, friday)


@pytest.mark.parametrize(
    ("industry", "size"),
    [
        ("marketing_agency", "micro"),
        ("construction", "micro"),
        ("professional_services", "small"),
        ("e_commerce", "micro"),
        ("consulting", "micro"),
    ],
)
def test_the_books_equal_the_truth_to_the_cent(firm: Firm, clock: FixedClock, industry: str, size: str) -> None:
    _compare(firm, clock, industry=industry, size=size, seed=_SEEDS[0])


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    ("industry", "size", "seed"),
    [*product(_INDUSTRIES, ("micro", "small"), _SEEDS), *product(_INDUSTRIES, ("medium",), _SEEDS[:1])],
)
def test_the_books_of_every_industry_and_size_equal_the_truth_to_the_cent(
    firm: Firm, clock: FixedClock, industry: str, size: str, seed: int
) -> None:
    print(f"seed {seed}")  # noqa: T201 - a long run prints its seeds
    _compare(firm, clock, industry=industry, size=size, seed=seed)
