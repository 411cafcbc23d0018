"""What is decided in the payment ledger reaches the week after it: forecast, plan, reserves and console tell one story."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from assets.books import POSITIONS, make_ledger
from assets.calculators import CALCULATORS
from assets.desk import Desk, newest_desk
from assets.experiences import DIGESTS, payments_under_way
from assets.priorities import PRIORITIES
from cli.vendors import suggested_tiers
from experiences.console.document import ConsoleDocument
from experiences.console.document import from_json as console_from_json
from payments.cash.free_cash import all_free_cash
from payments.cash.reserves import allocate, open_reserve
from payments.store.bill_tables import BREAK_GLASS
from payments.store.tables import AUDIT
from resources.clock import FixedClock
from resources.installation import Installation, RunWeek
from runway_calcs.bills.priority import BillPriority
from runway_calcs.bills.vendor_tiers import TierSuggestion
from runway_calcs.books.burn import Burn
from runway_calcs.flow_kinds import FlowKind
from runway_calcs.forecast.figures import CashForecast
from runway_calcs.hygiene.assessment import Hygiene
from runway_calcs.hygiene.defects import DefectKind
from runway_calcs.pay_plan.apart import WhyApart
from runway_calcs.pay_plan.plan import PayPlan
from runway_calcs.reserves.targets import ReservePlan
from tests.assets.bookkeeper import ACME, connected_acme
from tests.assets.office import Office
from tests.conftest import FRIDAY
from tests.sandbox import Sandbox


@pytest.fixture
def office(installation: Installation, sandbox: Sandbox, clock: FixedClock) -> Office:
    """Books with two bills that are open for most of a year, one of them ruled alive, read on the Friday.

    An invoice with the id of the other one is ruled alive, too: ids are unique only within a type.
    """
    bookkeeper = connected_acme(installation, sandbox)
    vendor = bookkeeper.first("Vendor")["Id"]
    dead, alive = (
        bookkeeper.enter_bill(vendor=vendor, dollars=one, issued=date(2026, 1, 5), due=date(2026, 2, 4))
        for one in (777, 333)
    )
    said = {"author": "ann", "reason": "we talk about it"}
    for object_type, object_id in (("Bill", alive), ("Invoice", dead)):
        defect = (DefectKind.FAR_PAST.value, object_type, object_id)
        installation.entries.rule(installation.registry.tenant(ACME), defect=defect, until=None, **said)
    found = Office(installation, clock, tenant=ACME)
    found.hire(firm_id="oak")
    found.read_books()
    return found


def _week(office: Office) -> Iterator[Desk]:
    run = RunWeek(week_ending=FRIDAY, started_at=office.installation.clock.now())
    with newest_desk(ACME, installation=office.installation, week=run) as desk:
        make_ledger(desk)
        for table in (*POSITIONS, *CALCULATORS, *PRIORITIES, *DIGESTS):
            table.work(desk)
        yield desk


def _document(office: Office, kind: str) -> str:
    found = office.installation.documents.read(ACME, kind=kind, key=FRIDAY.isoformat())
    assert found is not None
    return found.body


def _put_by(office: Office, cents: int, **wanted: Any) -> str:
    """A reserve with money in it; its id."""
    where = (office.ledger, ACME)
    kept = open_reserve(*where, by="oli", account_id=office.account_id, target_cents=9_000_00, **wanted)
    said: dict[str, Any] = {"by": "oli", "reserve_id": kept, "amount_cents": cents, "reason": "quarter"}
    allocate(*where, request_key=office.key(), **said)
    return kept


def _assert_kept_until_paid(forecast: CashForecast, *, others_cents: int, drawn_cents: int) -> None:
    """What a payment drew of its vendor's reserve is kept until it is made, and given free by it."""
    assert forecast.reserved_cents == others_cents + drawn_cents
    assert forecast.weeks[0].released_cents >= drawn_cents


def test_decisions_reach_forecast_plan_reserves_and_console_of_the_next_books(office: Office) -> None:
    alive = [
        one for one in office.books.bills if one.due_date is not None and one.due_date > FRIDAY - timedelta(days=90)
    ]
    small, part, staged = sorted(alive, key=_cents)[:3]
    (put_off,) = [one for one in office.books.bills if one.open_cents == 333_00]
    reserve = _put_by(office, 120_00, kind="tax", name="Sales tax", vendor_ids=[])
    _put_by(office, small.open_cents + 50, kind="custom", name="Vendor", vendor_ids=[small.vendor_id])
    said = {"author": "ann", "reason": "they deliver first"}
    tenant = office.installation.registry.tenant(ACME)
    office.installation.entries.set_tier(tenant, vendor_id=part.vendor_id, tier=1, **said)
    for bill in (small, part, staged, put_off):
        office.stage(bill.bill_id)
    office.pay_now(small.bill_id)
    _override(office, staged.bill_id)
    office.delay(put_off.bill_id, until=FRIDAY + timedelta(days=40))
    later = FRIDAY + timedelta(days=10)
    office.schedule(part.bill_id, on=later, amount_cents=part.open_cents - 1)
    office.read_books()
    for desk in _week(office):
        forecast = desk.result("runway/cash_forecast", CashForecast)
        held = {one.txn_id: one for one in forecast.items if one.kind is FlowKind.HELD_BILL}
        assert {bill: -one.amount_cents for bill, one in held.items()} == {
            small.bill_id: small.open_cents,
            part.bill_id: part.open_cents - 1,
        }
        assert held[part.bill_id].expected_on == later
        # What is decided is not open a second time: the forecast counts each bill once.
        open_cents = {one.txn_id: -one.amount_cents for one in forecast.items if one.kind is FlowKind.BILL}
        assert small.bill_id not in open_cents
        assert open_cents[part.bill_id] == 1
        _assert_kept_until_paid(forecast, others_cents=120_00 + 50, drawn_cents=small.open_cents)

        (plan,) = desk.records("priority/pay_plan", PayPlan)
        planned = {one.bill_id: one.open_cents for one in plan.bills}
        assert (small.bill_id in planned, planned[part.bill_id]) == (False, 1)
        apart = {(one.bill_id, one.why): one.cents for one in plan.apart}
        assert apart[small.bill_id, WhyApart.DECIDED] == small.open_cents
        assert apart[part.bill_id, WhyApart.DECIDED] == part.open_cents - 1

        dead = {
            one.object_id
            for one in desk.result("runway/hygiene", Hygiene).defects
            if one.kind is DefectKind.FAR_PAST and one.object_type == "Bill"
        }
        _assert_put_off(forecast, plan, bill_id=put_off.bill_id)
        _assert_dead_and_alive(desk, plan, dead=dead)
        _assert_tiers(desk, vendor_set=part.vendor_id)
        assert suggested_tiers(office.installation, ACME).keys() >= {small.vendor_id, part.vendor_id}

        kept, _ = sorted(desk.records("runway/reserves", ReservePlan), key=lambda one: one.reserve_id != reserve)
        assert (kept.reserve_id, kept.current_cents, kept.target_cents) == (reserve, 120_00, 9_000_00)
        told = payments_under_way(desk)
    console = console_from_json(_document(office, "console"))
    assert told is not None
    assert (told.set_aside.count, told.set_aside.cents) == (2, small.open_cents + part.open_cents - 1)
    assert (told.later.count, told.unsettled.count, told.proposed.count) == (0, 0, 1)
    _same_as_the_ledger(office, console)
    assert (console.unplanned, told.overridden, told.unconfirmed) == (plan.apart, 1, 1)
    assert console.ledger is not None
    assert told.free_cents == console.ledger.free_cents
    assert [one.bill_id for one in console.ledger.staged] == [staged.bill_id]
    assert console.ledger.staged_effect is not None
    assert console.ledger.staged_effect.counted_bill_ids == (staged.bill_id,)


def test_what_is_kept_for_a_vendor_pays_its_planned_bill(office: Office) -> None:
    alive = [one for one in office.books.bills if one.due_date is not None and one.due_date > FRIDAY]
    bill = min(alive, key=_cents)
    _put_by(office, bill.open_cents, kind="custom", name="Vendor", vendor_ids=[bill.vendor_id])
    office.read_books()
    for desk in _week(office):
        (plan,) = desk.records("priority/pay_plan", PayPlan)
    kept = [one.party_id for one in plan.bills if one.reason.endswith("of it from what is kept for the vendor")]
    assert set(kept) == {bill.vendor_id}


def test_the_buffer_is_of_what_reserves_leave(office: Office) -> None:
    most = max(one.balance_cents for one in office.books.cash)
    kept_cents = most // 3
    _put_by(office, kept_cents, kind="tax", name="Sales tax", vendor_ids=[])
    office.read_books()
    for desk in _week(office):
        forecast, spent = desk.result("runway/cash_forecast", CashForecast), desk.result("runway/cash_burn", Burn)
        assert forecast.reserved_cents == kept_cents
        assert forecast.cash_cents is not None
        assert spent.gross_rolling_cents
        # 28 days of the median rolling total of four weeks.
        assert spent.buffer_days == (forecast.cash_cents - kept_cents) * 28 // spent.gross_rolling_cents
        assert spent.buffer_days < forecast.cash_cents * 28 // spent.gross_rolling_cents


def _override(office: Office, bill_id: str) -> None:
    """Somebody sets the policy aside for a bill; nobody has confirmed it yet."""
    with office.ledger.act(ACME, actor="dan", kind="override declared") as act:
        row = {"break_glass_id": "g1", "bill_id": bill_id, "cycle": 1, "missing_cents": 0, "declared_by": "dan"}
        row |= {"overrides": [["limits", "too much"]], "reason": "the owner asked for it"}
        act.insert(BREAK_GLASS, row | {"declared_at": act.now, "confirm_until": act.now + timedelta(days=1)})


def _cents(bill: Any) -> tuple[int, str]:
    return bill.open_cents, bill.bill_id


def _same_as_the_ledger(office: Office, console: ConsoleDocument) -> None:
    """Free cash and what holds it are those of the ledger at this moment, to the cent, in the document and on its page."""
    assert console.ledger is not None
    with office.ledger.look(ACME) as look:
        accounts = {one.account_id: one for one in all_free_cash(look) if one.is_cash}
        (row,) = look.many(AUDIT, number=console.ledger.audit_number)
    assert row["hash"] == console.ledger.audit_hash
    names = ("basis_cents", "floor_cents", "reserved_cents", "pending_cents", "posted_cents", "free_cents")
    for shown in console.ledger.accounts:
        of_the_ledger = accounts.pop(shown.account_id)
        assert {name: getattr(shown, name) for name in names} == {name: getattr(of_the_ledger, name) for name in names}
    assert not accounts
    page = office.installation.documents.read(ACME, kind="console", key=FRIDAY.isoformat())
    assert page is not None
    for cents in (console.ledger.free_cents, *(-one.amount_cents for one in console.ledger.holds)):
        words = f"{'-' if cents < 0 else ''}${abs(cents) // 100:,}.{abs(cents) % 100:02}"
        assert words in page.text


def _assert_put_off(forecast: CashForecast, plan: PayPlan, *, bill_id: str) -> None:
    """Neither expected nor planned before its day."""
    until = FRIDAY + timedelta(days=40)
    (waits,) = [one for one in forecast.items if one.txn_id == bill_id]
    (planned,) = [one for one in plan.bills if one.bill_id == bill_id]
    assert waits.p10_on >= until
    assert all(payment.paid_on >= until for payment in planned.payments)


def _assert_dead_and_alive(desk: Desk, plan: PayPlan, *, dead: set[str]) -> None:
    """What is probably dead stands apart; the one that a person ruled no issue is ranked and planned."""
    apart_dead = {one.bill_id for one in plan.apart if one.why is WhyApart.PROBABLY_DEAD}
    ranked = {one.bill_id for one in desk.records("priority/bills", BillPriority)}
    planned = {one.bill_id for one in plan.bills}
    assert apart_dead
    assert not apart_dead & (ranked | planned)
    (alive,) = dead - apart_dead
    assert alive in ranked
    assert alive in planned


def _assert_tiers(desk: Desk, *, vendor_set: str) -> None:
    """A person set the tier of one vendor; of every other it is the suggested one, with its fact."""
    suggested = {one.party_id: one for one in desk.records("priority/vendor_tiers", TierSuggestion)}
    for one in desk.records("priority/bills", BillPriority):
        told = suggested[one.party_id]
        is_set = one.party_id == vendor_set
        assert (one.tier, one.tier_suggestion) == ((1, "") if is_set else (told.tier, told.reason))
