"""A payment desk on a company of the local QuickBooks: real bills, real sends, real records. For tests of sending.

Nothing here decides anything: bills are entered into QuickBooks over its API and published as a sync would, payments are driven by
the product, and what came of them is read from the sandbox's own books.
"""

import mmap
import shutil
import struct
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import simplejson
from sqlalchemy import delete, event

from migrations.chain import upgrade
from payments.controls.payees import BankDetails, confirm_payee, propose_payee
from payments.rails.opened import Rails
from payments.sending.drive import Driven, drive
from payments.sending.machine_memory import MachineMemory
from payments.sending.reconcile import MARKER, Reconciled, reconcile
from payments.sending.review import Outside
from payments.sending.send_policy import SendPolicy
from payments.store.batch_tables import BATCH, INTENT
from payments.store.bill_tables import BILL_WORKFLOW
from payments.store.invariants import RemotePayment, broken_invariants
from payments.store.ledger import Ledger
from payments.store.repository import Row
from payments.store.tables import ALARM
from resources.clock import FixedClock, Uptime
from resources.installation import Installation
from resources.published_balances import CashSnapshot, OpenBill
from resources.qbo.answers import Page
from resources.qbo.bill_content import bill_detail
from resources.qbo.bill_payments import PaymentClient
from resources.qbo.entities import parse
from resources.qbo.home_currency import cents
from resources.qbo.query import Statement
from resources.qbo.transactions import Bill
from resources.secret_text import Secret
from resources.settings import Settings
from resources.tables import CONNECTION
from resources.tenants import TenantId
from resources.token_vault import TokenVault
from tests.conftest import FRIDAY_MORNING
from tests.consent import connect
from tests.payments.desk import Desk
from tests.resources.builders import ACME
from tests.sandbox import Sandbox

#: The sandbox keeps its own time: the two are compared in a test of their own.
POLICY = SendPolicy(most_clock_difference=None)
_EPOCH = datetime.fromtimestamp(0, tz=UTC)
_MICROSECOND = timedelta(microseconds=1)
#: Microseconds since the epoch, and those that have really passed.
_CLOCK = struct.Struct("<qq")


def open_installation(
    folder: Path,
    url: str,
    *,
    now: datetime = FRIDAY_MORNING,
    timeout: float = 5.0,
    clock: FixedClock | None = None,
    database_url: str = "",
) -> Installation:
    """The installation in a folder, its clock standing at an instant; nothing in it has to survive a power failure."""
    settings = Settings(
        data_dir=folder,
        qbo_local_url=url,
        qbo_retry_seconds=0.0,
        qbo_timeout_seconds=timeout,
        database_url=database_url,
    )
    opened = Installation(settings, clock=clock or FixedClock(now))
    if not database_url:
        event.listen(opened.database.writer, "connect", lambda raw, _: raw.execute("PRAGMA synchronous=OFF"))
    return opened


class SharedClock(FixedClock):
    """A clock that several processes read from one file: one that was stopped sees how late it is when it goes on."""

    def __init__(self, path: Path, now: datetime | None = None) -> None:
        if now is not None:
            path.write_bytes(_CLOCK.pack(_microseconds(now), 0))
        with path.open("r+b") as file:
            self._shared = mmap.mmap(file.fileno(), _CLOCK.size)

    def now(self) -> datetime:
        """The instant in the file."""
        return _EPOCH + timedelta(microseconds=self._read()[0])

    def sleep(self, seconds: float) -> None:
        """Move everybody forward."""
        self.move_to(self.now() + timedelta(seconds=seconds))

    def uptime(self) -> Uptime | None:
        """The time that has passed, in the file as well."""
        return Uptime("shared", self._read()[1] / 1e6)

    def move_to(self, instant: datetime) -> None:
        """Let everybody stand at another instant; a later one has been waited for."""
        passed = max(instant - self.now(), timedelta())
        self._shared[:] = _CLOCK.pack(_microseconds(instant), self._read()[1] + passed // _MICROSECOND)

    def set_by_hand(self, change: timedelta) -> None:
        """Show everybody another time without any having passed."""
        self._shared[:] = _CLOCK.pack(_microseconds(self.now() + change), self._read()[1])

    def _read(self) -> tuple[int, int]:
        now, passed = _CLOCK.unpack(self._shared[:])
        return now, passed


def _microseconds(when: datetime) -> int:
    return (when - _EPOCH) // _MICROSECOND


def drive_batch(
    installation: Installation, batch_id: str, *, holder: str = "test", policy: SendPolicy = POLICY, tenant: Any = ACME
) -> Driven:
    """What the job does for a batch."""
    return drive(
        Ledger(installation.database, clock=installation.clock),
        tenant,
        batch_id=batch_id,
        holder=holder,
        open_books=installation.bill_payments,
        open_rail=Rails(installation).open,
        policy=policy,
        memory=memory_of(installation),
    )


def memory_of(installation: Installation) -> MachineMemory:
    """What the machine of an installation knows."""
    return MachineMemory(folder=installation.settings.machine_root, clock=installation.clock)


class MarringClient(PaymentClient):
    """A client that gets bill payments of these ids without a total, so that nobody can read them."""

    marred: frozenset[str] = frozenset()

    def query(self, statement: Statement, *, realm_id: str, access_token: Secret) -> Page:
        """The page, some of it marred."""
        page = super().query(statement, realm_id=realm_id, access_token=access_token)
        return replace(page, objects=tuple(self._marred(text) for text in page.objects))

    def _marred(self, text: str) -> str:
        return text.replace('"TotalAmt"', '"Total"') if simplejson.loads(text)["Id"] in self.marred else text


class Company:
    """A company of the local QuickBooks, with the means to enter bills and to read its books."""

    def __init__(self, sandbox: Sandbox, *, realm_id: str, seed: int = 31) -> None:
        self.sandbox = sandbox
        spec = {"name": "Alder Works", "industry": "consulting", "size": "micro", "seed": seed}
        self.realm_id = sandbox.add_company(realm_id=realm_id, as_of="2026-11-20", zone="America/New_York", **spec)
        by_type: dict[str, str] = {}
        for one in self.objects("Account").values():
            if one["Active"]:
                by_type.setdefault(one["AccountType"], one["Id"])
        self.bank, self.expense, self.payable = by_type["Bank"], by_type["Expense"], by_type["Accounts Payable"]
        self.vendor = next(one["Id"] for one in self.objects("Vendor").values() if one["Active"])
        self.headers: dict[str, str] = {}
        self._left_behind: frozenset[str] = frozenset()

    def objects(self, entity: str) -> dict[str, Any]:
        """Every object of a kind in the books, straight from them, by id."""
        path = f"/__sandbox__/realms/{self.realm_id}/objects"
        answer = self.sandbox.control.get(path, params={"entity": entity})
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()[entity]
        return found

    def settings(self, **changed: Any) -> None:
        """How this QuickBooks behaves."""
        self.sandbox.control.post(f"/__sandbox__/realms/{self.realm_id}/settings", json=changed).raise_for_status()

    def post(self, entity: str, body: Mapping[str, Any], **parameters: str) -> dict[str, Any]:
        """Something a person enters in QuickBooks."""
        path = f"/v3/company/{self.realm_id}/{entity.lower()}"
        answer = self.sandbox.control.post(path, json=body, params=parameters, headers=self.headers)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()[entity]
        return found

    def bill(self, amount: str = "100.00", **more: Any) -> dict[str, Any]:
        """A bill, entered."""
        line = {
            "Amount": float(amount),
            "DetailType": "AccountBasedExpenseLineDetail",
            "AccountBasedExpenseLineDetail": {"AccountRef": {"value": self.expense}},
        }
        body = {"VendorRef": {"value": self.vendor}, "TxnDate": "2026-11-01", "DueDate": "2026-11-30", "Line": [line]}
        return self.post("Bill", body | more)

    def credit(self, amount: float) -> str:
        """A vendor credit, entered; its id."""
        line = {
            "Amount": amount,
            "DetailType": "AccountBasedExpenseLineDetail",
            "AccountBasedExpenseLineDetail": {"AccountRef": {"value": self.expense}},
        }
        body = {"VendorRef": {"value": self.vendor}, "TxnDate": "2026-11-02", "Line": [line]}
        return str(self.post("VendorCredit", body)["Id"])

    def employ_vendor(self, *, is_active: bool) -> None:
        """Make the vendor inactive, who is owed nothing once a credit covers all bills, or a bill what was credited; or active."""
        found = self.objects("Vendor")[self.vendor]
        if not is_active and found["Balance"]:
            if found["Balance"] > 0:
                self.credit(found["Balance"])
            else:
                self.bill(f"{-found['Balance']:.2f}")
            found = self.objects("Vendor")[self.vendor]
        self.post("Vendor", {name: found[name] for name in ("Id", "SyncToken")} | {"sparse": True, "Active": is_active})

    def close_books(self, *, through: str | None) -> None:
        """Let nothing be entered up to a day; None opens the books again."""
        prefs = self.objects("Preferences")["1"]
        accounting = {name: value for name, value in prefs["AccountingInfoPrefs"].items() if name != "BookCloseDate"}
        if through is not None:
            accounting["BookCloseDate"] = through
        self.post("Preferences", {**prefs, "AccountingInfoPrefs": accounting})

    def pay_by_hand(self, bill: Mapping[str, Any], amount: str, **more: Any) -> dict[str, Any]:
        """A payment that a person enters."""
        body = {
            "VendorRef": {"value": self.vendor},
            "PayType": "Check",
            "CheckPayment": {"BankAccountRef": {"value": self.bank}, "PrintStatus": "NotSet"},
            "TotalAmt": float(amount),
            "Line": [{"Amount": float(amount), "LinkedTxn": [{"TxnId": bill["Id"], "TxnType": "Bill"}]}],
        }
        return self.post("BillPayment", body | more)

    def change_bill(self, bill_id: str, *, more: int) -> None:
        """Somebody makes a bill dearer by so many cents."""
        body = self.objects("Bill")[bill_id]
        body["Line"][0]["Amount"] = round(body["Line"][0]["Amount"] + more / 100, 2)
        self.post("Bill", body)

    def delete_bill(self, bill_id: str) -> None:
        """Somebody deletes a bill."""
        body = self.objects("Bill")[bill_id]
        self.post("Bill", {name: body[name] for name in ("Id", "SyncToken")}, operation="delete")

    def records(self, doc_number: str) -> list[dict[str, Any]]:
        """The payments of one number that stand in the books."""
        query = f"SELECT * FROM BillPayment WHERE DocNumber = '{doc_number}'"  # noqa: S608 - a number of ours
        path = f"/v3/company/{self.realm_id}/query"
        answer = self.sandbox.control.get(path, params={"query": query}, headers=self.headers)
        answer.raise_for_status()
        found: list[dict[str, Any]] = answer.json()["QueryResponse"].get("BillPayment", [])
        return [one for one in found if one["TotalAmt"]]

    def leave_behind(self) -> None:
        """Let what is in the books by now be of another test or trial, whose ledger is gone."""
        self._left_behind = frozenset(self.objects("BillPayment"))

    def payments(self) -> list[dict[str, Any]]:
        """All payments with our marker, whatever their number, voided ones and those left behind left out."""
        return [
            one
            for one in self.objects("BillPayment").values()
            if (one.get("DocNumber") or "").startswith(MARKER)
            and one["TotalAmt"]
            and one["Id"] not in self._left_behind
        ]

    def remote(self) -> list[RemotePayment]:
        """The same as the invariants compare them."""
        return [remote_payment(one) for one in self.payments()]


class Office(Desk):
    """A desk whose bills are in a company's books."""

    def __init__(
        self, installation: Installation, company: Company, *, tenant: TenantId = ACME, register: bool = True
    ) -> None:
        clock = installation.clock
        assert isinstance(clock, FixedClock)
        self.installation = installation
        self.company = company
        super().__init__(installation.database, clock, tenant=tenant, register=register)
        if register:
            company.leave_behind()
            with self.database.write() as connection:
                connection.execute(delete(CONNECTION))
            connect(installation, tenant, company.realm_id)
        elif not installation.settings.machine_root.exists():
            # Its company has payments of other tests: this ledger has not forgotten them, it never had them.
            memory_of(installation).note_ledger(self.ledger, tenant)
            company.leave_behind()
        token = installation.connections.load(tenant).tokens.access_token.reveal()
        company.headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}

    def enter(self, *amounts: str, cash: int = 10_000_000) -> list[str]:
        """Bills of these amounts, entered in QuickBooks and published; their ids."""
        entered = [self.company.bill(amount) for amount in amounts or ("100.00",)]
        self.sync(*(open_bill(one) for one in entered), accounts=[self._cash(cash)])
        return [one["Id"] for one in entered]

    def sync_books(self, *bill_ids: str, cash: int = 10_000_000) -> None:
        """What a sync would publish of these bills."""
        books = self.company.objects("Bill")
        self.sync(*(open_bill(books[one]) for one in bill_ids if books[one]["Balance"]), accounts=[self._cash(cash)])

    def publish_books(self, *bill_ids: str, cash: int = 10_000_000) -> None:
        """A sync that nobody has taken into the ledger yet."""
        books = self.company.objects("Bill")
        open_bills = [open_bill(books[one]) for one in bill_ids if books[one]["Balance"]]
        self.publish(*open_bills, accounts=[self._cash(cash)])

    def _cash(self, cash: int) -> CashSnapshot:
        return CashSnapshot(account_id=self.company.bank, name="Checking", balance_cents=cash, dated_later_cents=0)

    def use_bank(self, vault: TokenVault | None = None) -> None:
        """From now on payments are made by the simulated bank, to bank details that two people have confirmed."""
        details = BankDetails(
            routing_number=Secret("021000021"), account_number=Secret("000123456789"), account_kind="checking"
        )
        vault = vault or TokenVault([bytes(range(32))])
        wanted = {"vendor_id": self.company.vendor}
        propose_payee(self.ledger, self.tenant, by="pat", details=details, vault=vault, **wanted)
        confirm_payee(self.ledger, self.tenant, by="amy", account_ending="6789", **wanted)
        self.policy(rail="simulated_bank", payee_watch_days=0)

    def instructions(self) -> list[dict[str, Any]]:
        """What the bank was told, by itself."""
        path = f"/__sandbox__/realms/{self.company.realm_id}/bank"
        found: list[dict[str, Any]] = self.company.sandbox.control.get(path).json()
        return found

    def batch(self, *bill_ids: str, amounts: Mapping[str, int] | None = None) -> str:
        """Bills approved, decided and finalized; the batch's id."""
        decided = []
        for bill_id in bill_ids:
            self.approve(bill_id)
            self.stage(bill_id, account_id=self.company.bank)
            wanted = {"amount_cents": (amounts or {}).get(bill_id), "account_id": self.company.bank}
            decided.append(self.pay_now(bill_id, **wanted))
        return self.finalize(*decided).batch_id

    def drive(self, batch_id: str, *, policy: SendPolicy = POLICY) -> Driven:
        """One run."""
        return drive_batch(self.installation, batch_id, policy=policy, tenant=self.tenant)

    def drive_to_the_end(self, batch_id: str, *, most: int = 12, policy: SendPolicy = POLICY) -> Driven:
        """Runs, each when the one before said, until the batch is settled."""
        driven = self.drive(batch_id, policy=policy)
        for _ in range(most):
            if driven.outcome in {"settled", "settled_with_exceptions", "already_settled"}:
                return driven
            row = self.rows(BATCH, BATCH.c.batch_id == batch_id)[0]
            self.clock.move_to(max(self.clock.now(), row["not_before"] or row["lease_until"] or self.clock.now()))
            self.later(seconds=1)
            driven = self.drive(batch_id, policy=policy)
        raise AssertionError(f"the batch does not settle: {driven}")

    def reconcile(self, *, since: datetime | None = None) -> Reconciled:
        """The nightly comparison, of all that ever was unless told otherwise."""
        books = self.installation.bill_payments(self.tenant)
        return reconcile(self.ledger, self.tenant, books, since=since or datetime(2020, 1, 1, tzinfo=UTC))

    def outside(self) -> Outside:
        """Where a payment may be."""
        return Outside(books=self.installation.bill_payments(self.tenant), open_rail=Rails(self.installation).open)

    def mar(self, *payment_ids: str) -> None:
        """From now on nobody can read these bill payments of QuickBooks."""
        client = MarringClient(url=self.company.sandbox.url, timeout_seconds=5.0)
        client.marred = frozenset(payment_ids)
        self.installation.payment_client.close()
        self.installation.payment_client = client

    def intents(self, batch_id: str) -> dict[str, Row]:
        """The entries in the books that a batch makes, by bill."""
        rows = self.rows(INTENT, INTENT.c.batch_id == batch_id, INTENT.c.leg == "book")
        return {row["bill_set"]: row for row in rows}

    def bill_states(self) -> dict[str, str]:
        """Where the bills stand."""
        return {row["bill_id"]: row["state"] for row in self.rows(BILL_WORKFLOW)}

    def alarms(self) -> list[str]:
        """Kinds of open alarms."""
        return sorted(row["kind"] for row in self.rows(ALARM, ALARM.c.resolved_at.is_(None)))

    def broken(self) -> list[Any]:
        """What of I1 to I15 does not hold against the sandbox's own books, in which every payment has to be one of ours."""
        with self.ledger.look(self.tenant) as look:
            return broken_invariants(look, remote=self.company.remote())

    def payments_of(self, batch_id: str) -> Counter[str]:
        """How many records the books have for each payment of the batch, by bill."""
        found = Counter(one.doc_number for one in self.company.remote())
        return Counter({bill: found[row["doc_number"]] for bill, row in self.intents(batch_id).items()})


def remote_payment(body: Mapping[str, Any]) -> RemotePayment:
    """A payment of the books as the invariants compare it."""
    cents_paid = round(body["TotalAmt"] * 100)
    return RemotePayment(remote_id=body["Id"], doc_number=body["DocNumber"], amount_cents=cents_paid)


def open_bill(body: Mapping[str, Any]) -> OpenBill:
    """A bill of the books as a sync publishes it."""
    bill = parse("Bill", simplejson.dumps(body))
    assert isinstance(bill, Bill)
    detail = bill_detail(bill)
    return OpenBill(
        bill_id=bill.id,
        vendor_id=bill.vendor_ref.value,
        vendor_name=bill.vendor_ref.name or "",
        doc_number=bill.doc_number or "",
        txn_date=bill.txn_date,
        due_date=bill.due_date,
        currency="USD",
        home_currency="USD",
        total_cents=cents(bill.total_amt),
        open_cents=cents(bill.balance),
        sync_token=detail.sync_token,
        ap_account_id=detail.ap_account_id,
        lines_sha256=detail.lines_sha256,
    )


def furnish(folder: Path, company: Company, *, migrated: Path | None = None) -> None:
    """An installation with people and a connection, and a policy under which one adviser may do all."""
    folder.mkdir(parents=True, exist_ok=True)
    if migrated is not None:
        shutil.copyfile(migrated, folder / "runway.sqlite")
    opened = open_installation(folder, company.sandbox.url)
    try:
        if migrated is None:
            upgrade(opened.database)
        Office(opened, company).policy(separation_above_cents=10_000_000)
    finally:
        opened.close()
