"""What is decided in the payment ledger reaches the week after it: forecast, plan, reserves and console tell one story."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import dagster as dg
import httpx
import pytest

from assets.books import POSITIONS, make_ledger
from assets.calculators import CALCULATORS
from assets.desk import Desk, newest_desk
from assets.experiences import DIGESTS
from assets.ingest import raw_qbo
from assets.priorities import PRIORITIES
from assets.published import BALANCES, published_balances
from experiences.console.document import ConsoleDocument
from experiences.console.document import from_json as console_from_json
from experiences.digest.document import from_json as digest_from_json
from payments.approvals import approve
from payments.decisions import pay_now, schedule, stage
from payments.free_cash import all_free_cash
from payments.ledger import OPERATOR, Ledger
from payments.people import add_person, grant
from payments.reserves import allocate, open_reserve
from resources.clock import FixedClock
from resources.installation import Installation, RunWeek
from resources.tenants import tenant_id
from runway_calcs.bills.priority import BillPriority
from runway_calcs.flow_kinds import FlowKind
from runway_calcs.forecast.figures import CashForecast
from runway_calcs.hygiene.assessment import Hygiene
from runway_calcs.hygiene.defects import DefectKind
from runway_calcs.pay_plan.apart import WhyApart
from runway_calcs.pay_plan.plan import PayPlan
from runway_calcs.reserves.targets import ReservePlan
from tests.conftest import FRIDAY
from tests.firm import connect
from tests.sandbox import Sandbox

ACME = tenant_id("acme")
_PEOPLE = {"ada": "administrator", "amy": "approver", "dan": "adviser", "oli": "owner"}


class Office:
    """A tenant whose books are read, and the people who decide on its bills."""

    def __init__(self, installation: Installation, clock: FixedClock) -> None:
        self.installation = installation
        self.clock = clock
        self.ledger = Ledger(installation.database, clock=clock)
        self._keys = iter(range(10_000))

    def read_books(self) -> None:
        """A sync, and what its pipelines publish from it."""
        self.clock.sleep(60)
        self.installation.smart_sync.sync(ACME)
        self.clock.sleep(5)
        with dg.DagsterInstance.ephemeral() as instance:
            instance.add_dynamic_partitions("tenant", [ACME])
            assert dg.materialize(
                [raw_qbo, published_balances],
                instance=instance,
                resources={"installation": self.installation},
                selection=[BALANCES],
                partition_key=ACME,
            ).success
        self.clock.sleep(60)

    def hire(self) -> None:
        for person, role in _PEOPLE.items():
            add_person(self.ledger, person_id=person, firm_id="oak", name=person.title())
            by = OPERATOR if role == "administrator" else "ada"
            grant(self.ledger, ACME, by=by, person_id=person, role=role)

    def key(self) -> str:
        return f"key-{next(self._keys)}"

    def stage(self, bill_id: str, *, account_id: str) -> None:
        """Approve a bill and propose its payment."""
        wanted = {"bill_id": bill_id, "request_key": self.key()}
        approve(self.ledger, ACME, by="amy", **wanted)
        stage(self.ledger, ACME, by="dan", account_id=account_id, **wanted | {"request_key": self.key()})


@pytest.fixture
def office(installation: Installation, sandbox: Sandbox, clock: FixedClock) -> Office:
    """Books with a bill that is open for most of a year, read on the Friday."""
    realm = sandbox.add_company(
        realm_id="9130395000000012",
        name="Acme generated",
        industry="construction",
        size="micro",
        seed=3,
        as_of=FRIDAY.isoformat(),
        zone="America/New_York",
    )
    installation.registry.add_firm("oak", name="Oak")
    installation.registry.add_tenant("acme", firm_id="oak", name="Acme", zone="America/New_York")
    connect(installation, "acme", realm)
    found = Office(installation, clock)
    found.read_books()
    _enter_an_old_bill(found, sandbox, realm)
    found.hire()
    found.read_books()
    return found


def _enter_an_old_bill(office: Office, sandbox: Sandbox, realm: str) -> None:
    published = office.installation.published_balances.read(ACME)
    assert published is not None
    truth = sandbox.truth(realm, basis="dated", day=FRIDAY)
    expense = next(str(one["id"]) for one in truth["accounts"] if one["account_type"] == "Expense")
    line = {
        "Amount": 777,
        "DetailType": "AccountBasedExpenseLineDetail",
        "AccountBasedExpenseLineDetail": {"AccountRef": {"value": expense}},
    }
    dates = {"TxnDate": "2026-01-05", "DueDate": "2026-02-04"}
    body = {"VendorRef": {"value": published.bills[0].vendor_id}, "Line": [line], **dates}
    token = office.installation.connections.load(ACME).tokens.access_token.reveal()
    answer = httpx.post(
        f"{sandbox.url}/v3/company/{realm}/bill",
        json=body,
        headers={"Authorization": f"Bearer {token}", "Accept": "application/json"},
        trust_env=False,
    )
    assert answer.status_code == 200, answer.text


def _week(office: Office) -> Iterator[Desk]:
    run = RunWeek(week_ending=FRIDAY, started_at=office.clock.now())
    with newest_desk(ACME, installation=office.installation, week=run) as desk:
        make_ledger(desk)
        for table in (*POSITIONS, *CALCULATORS, *PRIORITIES, *DIGESTS):
            table.work(desk)
        yield desk


def _document(office: Office, kind: str) -> str:
    found = office.installation.documents.read(ACME, kind=kind, key=FRIDAY.isoformat())
    assert found is not None
    return found.body


def test_decisions_reach_forecast_plan_reserves_and_console_of_the_next_books(office: Office) -> None:
    where = (office.ledger, ACME)
    published = office.installation.published_balances.read(ACME)
    assert published is not None
    account = max(published.cash, key=lambda one: one.balance_cents).account_id
    alive = [one for one in published.bills if one.due_date is not None and one.due_date > FRIDAY - timedelta(days=90)]
    small, part, staged = sorted(alive, key=_cents)[:3]
    reserve = open_reserve(
        *where, by="oli", kind="tax", name="Sales tax", account_id=account, vendor_ids=[], target_cents=9_000_00
    )
    wanted: dict[str, Any] = {"by": "oli", "reserve_id": reserve, "amount_cents": 120_00, "reason": "quarter"}
    allocate(*where, request_key=office.key(), **wanted)
    for bill in (small, part, staged):
        office.stage(bill.bill_id, account_id=account)
    pay_now(*where, by="dan", bill_id=small.bill_id, account_id=account, request_key=office.key())
    later = FRIDAY + timedelta(days=10)
    scheduled = {"bill_id": part.bill_id, "account_id": account, "amount_cents": part.open_cents - 1}
    schedule(*where, by="dan", pay_on=later, request_key=office.key(), **scheduled)
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
        assert forecast.reserved_cents == 120_00

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
        assert dead
        assert dead == {bill for bill, why in apart if why is WhyApart.PROBABLY_DEAD}
        ranked = {one.bill_id for one in desk.records("priority/bills", BillPriority)}
        assert not dead & (ranked | set(planned))

        (kept,) = desk.records("runway/reserves", ReservePlan)
        assert (kept.reserve_id, kept.current_cents, kept.target_cents) == (reserve, 120_00, 9_000_00)
    console = console_from_json(_document(office, "console"))
    _same_as_the_ledger(office, console)
    digest = digest_from_json(_document(office, "friday_digest"))
    assert digest.money_out.plan is not None
    told = {one.why: (one.count, one.total_cents) for one in digest.money_out.plan.unplanned}
    for why in WhyApart:
        own = [one.cents for one in console.unplanned if one.why is why]
        assert told[why] == (len(own), sum(own))
    assert console.ledger is not None
    assert [one.bill_id for one in console.ledger.staged] == [staged.bill_id]
    assert console.ledger.staged_effect is not None
    assert console.ledger.staged_effect.counted_bill_ids == (staged.bill_id,)


def _cents(bill: Any) -> tuple[int, str]:
    return bill.open_cents, bill.bill_id


def _same_as_the_ledger(office: Office, console: ConsoleDocument) -> None:
    """Free cash and what holds it are those of the ledger at this moment, to the cent, in the document and on its page."""
    assert console.ledger is not None
    with office.ledger.look(ACME) as look:
        accounts = {one.account_id: one for one in all_free_cash(look) if one.is_cash}
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
