"""What people entered reaches the week's figures, and a past week only what was entered by its read of the books."""

from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from assets.books import POSITIONS, make_ledger
from assets.calculators import CALCULATORS
from assets.desk import Desk, newest_desk
from assets.forecast_inputs import forecast_inputs, forecasting
from resources.clock import FixedClock
from resources.installation import Installation, RunWeek
from runway_calcs.books.cash import CashPosition
from runway_calcs.books.ledger_measures import LedgerMeasures, Measure, MeasureName, MeasureState
from runway_calcs.flow_kinds import FlowKind
from runway_calcs.hygiene.assessment import Hygiene, HygieneState
from runway_calcs.reserves.targets import ReservePlan, ReserveState
from tests.assets.bookkeeper import ACME, connected_acme
from tests.conftest import FRIDAY
from tests.sandbox import Sandbox

_SAID = {"author": "ann", "reason": "said so"}


@pytest.fixture
def acme(installation: Installation, sandbox: Sandbox) -> Installation:
    """An installation with one tenant whose books were read on the Friday."""
    connected_acme(installation, sandbox)
    return installation


def _desk(installation: Installation, *tables: str, week: date = FRIDAY) -> Iterator[Desk]:
    run = RunWeek(week_ending=week, started_at=installation.clock.now())
    with newest_desk(ACME, installation=installation, week=run) as desk:
        make_ledger(desk)
        for table in (*POSITIONS, *(one for one in CALCULATORS if one.key in tables)):
            table.work(desk)
        yield desk


def test_a_week_knows_what_was_entered_before_its_books_were_read(acme: Installation, clock: FixedClock) -> None:
    tenant = acme.registry.tenant(ACME)
    loan = FRIDAY + timedelta(days=20)
    acme.entries.add_item(tenant, day=loan, amount_cents=5_000_000, label="loan", **_SAID)
    tax = {"kind": "tax", "name": "Tax", "rule": "amount", "basis_points": None, "month_hundredths": None}
    acme.entries.set_reserve(tenant, reserve_id="tax-q4", amount_cents=100, due_on=loan, **tax, **_SAID)
    clock.sleep(60)
    acme.smart_sync.sync(ACME)
    clock.sleep(60)
    acme.entries.add_item(tenant, day=loan, amount_cents=-7_00, label="told too late", **_SAID)
    acme.entries.set_reserve(tenant, reserve_id="tax-q4", amount_cents=999, due_on=loan, **tax, **_SAID)

    tables = ("runway/cash_burn", "runway/reserves")
    for desk in _desk(acme, *tables):
        assert [one.label for one in forecast_inputs(desk).known_items] == ["loan"]
        assert "loan" in {one.label for one in forecasting(desk).forecast.items}
        (reserve,) = desk.records("runway/reserves", ReservePlan)
        assert reserve.target_cents == 100
        assert reserve.state in (ReserveState.ON_TRACK, ReserveState.SHORT)
    for desk in _desk(acme, *tables, week=FRIDAY - timedelta(weeks=8)):
        assert forecast_inputs(desk).known_items == ()
        assert desk.records("runway/reserves", ReservePlan) == ()


def test_measures_and_defects_of_a_week_come_back_as_they_were_put(acme: Installation) -> None:
    acme.smart_sync.sync(ACME)
    for desk in _desk(acme, "runway/ledger_measures", "runway/hygiene"):
        measures = desk.result("runway/ledger_measures", LedgerMeasures)
        assert [one.name for one in measures.measures] == list(MeasureName)
        dso, best, late = (measures.measure(name) for name in list(MeasureName)[:3])
        assert dso.state is MeasureState.VALUE
        assert (dso.value_thousandths or 0) == (best.value_thousandths or 0) + (late.value_thousandths or 0)
        _assert_quick_ratio(desk, measures.measure(MeasureName.QUICK_RATIO))
        found = desk.result("runway/hygiene", Hygiene)
        assert found.state is HygieneState.SCORED
        assert found.score == 100 - sum(part.points for part in found.parts)
        assert any(one.correction is not None for one in found.defects)
        assert any(one.effect.low_water_cents is not None for one in found.defects)


def _assert_quick_ratio(desk: Desk, found: Measure) -> None:
    """Receipts and taxes are what the forecast expects within 90 days, neither of them nothing."""
    assert found.state is MeasureState.VALUE
    receipts = taxes = 0
    for one in forecasting(desk).forecast.items:
        if one.expected_on <= FRIDAY + timedelta(days=90):
            receipts += one.amount_cents if one.kind is FlowKind.INVOICE else 0
            taxes -= one.amount_cents if one.kind is FlowKind.TAX else 0
    assert receipts > 0
    assert taxes > 0
    position = desk.result("books/cash_position", CashPosition)
    parts = {one.name: one.amount for one in found.inputs}
    assert (parts["cash"], parts["card balances"]) == (position.cash_cents, position.card_owed_cents)
    assert (parts["receivables expected"], parts["taxes due"]) == (receipts, taxes)
    assert position.cash_cents is not None
    due = parts["payables due"] + position.card_owed_cents + taxes
    assert found.value_thousandths == round((position.cash_cents + receipts) * 1000 / due)


def test_a_date_that_a_person_set_outlives_the_next_read_of_the_books(acme: Installation, clock: FixedClock) -> None:
    acme.smart_sync.sync(ACME)
    for desk in _desk(acme):
        bill = str(desk.frame("books/open_bills").query("open_cents > 0 and txn_type == 'Bill'")["qbo_id"].min())
    day = FRIDAY + timedelta(days=33)
    clock.sleep(60)
    tenant = acme.registry.tenant(ACME)
    acme.entries.override(tenant, txn_type="Bill", txn_id=bill, expected_on=day, **_SAID)
    clock.sleep(60)
    acme.smart_sync.sync(ACME)
    for desk in _desk(acme):
        (found,) = [one for one in forecasting(desk).forecast.items if (one.txn_type, one.txn_id) == ("Bill", bill)]
        assert found.expected_on == day
