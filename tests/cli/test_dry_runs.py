"""A dry run of each verb of payments, on a ledger in which it has something to do: afterwards every table is what it was."""

import base64
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, redirect_stderr, redirect_stdout
from dataclasses import replace
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from payments.bills.postponing import withdraw
from payments.cash.reserves import allocate, open_reserve
from payments.controls.alarms import raise_alarm
from payments.controls.payees import BankDetails, propose_payee
from payments.controls.people import deactivate
from payments.store.batch_tables import BATCH
from resources.clock import FixedClock, SystemClock
from resources.published_balances import CashSnapshot
from resources.secret_text import Secret
from resources.tenants import tenant_id
from resources.token_vault import TokenVault, keys_from_file
from tests.cli.command_tree import RUNWAY, commands, options
from tests.payments.office import POLICY, Company, Office, open_bill, open_installation
from tests.resources.builders import ACME
from tests.sandbox import Sandbox

#: What is entered or sent without the ledger of payments has its own tests.
_ELSEWHERE = {"forecast", "vendors", "customers", "tray", "mail"}
#: Calls to QuickBooks are counted and spaced whatever they were for.
_COUNTED_ANYWAY = {"call_meter", "call_pace"}
SECOND = "second"
_IDLE = "idle-tenant"
_FILE = ("--bank-routing", "021000021", "--bank-name", "First Bank", "--company-id", "1234567890")
_FILE += ("--company-name", "Alder Works")
_BILLS = (
    ("open", "staged", "withdrawn", "decided", "overridden", "due", "delayed"),
    ("to_run", "to_take", "to_end", "to_file", "filed"),
)


class Shop:
    """An office in which everything waits for somebody, and its command line."""

    def __init__(self, office: Office, folder: Path) -> None:
        self.office, self.folder, self.bank = office, folder, office.company.bank
        self.bills = dict(zip(sum(_BILLS, ()), office.enter(*["10.00"] * 12), strict=True))
        self.ids: dict[str, str] = {}

    def run(self, *words: str) -> None:
        """One command that succeeds; names in braces are ids."""
        known = {**self.bills, **self.ids, "bank": self.bank, "vendor": self.office.company.vendor}
        arguments = [word.format_map({**known, "folder": self.folder}) for word in words]
        said = StringIO()
        with redirect_stdout(said), redirect_stderr(said), pytest.raises(SystemExit) as ended:
            RUNWAY.main(arguments)
        assert ended.value.code in {0, None}, f"{' '.join(arguments)}: {said.getvalue()}"

    def sync(self, *, second: int = 100_000) -> None:
        """All bills as the books have them, and a second account."""
        books = self.office.company.objects("Bill")
        cash = [CashSnapshot(account_id=self.bank, name="Checking", balance_cents=10_000_000, dated_later_cents=0)]
        cash.append(CashSnapshot(account_id=SECOND, name="Second", balance_cents=second, dated_later_cents=0))
        self.office.sync(
            *(open_bill(books[one]) for one in self.bills.values() if books[one]["Balance"]), accounts=cash
        )


def _fill(shop: Shop) -> None:
    """Something for every verb, two days ago, yesterday and now."""
    office, bills, wanted = shop.office, shop.bills, {"account_id": shop.bank}
    for name in ("staged", "withdrawn", "decided", "overridden", "due", "delayed"):
        office.approve(bills[name])
        office.stage(bills[name], **wanted)
    withdraw(office.ledger, ACME, by="dan", bill_id=bills["withdrawn"], reason="not ours", request_key="w")
    shop.ids["decided_id"] = office.pay_now(bills["decided"], **wanted).decision_id
    _override(shop)
    office.schedule(bills["due"], days=1, **wanted)
    shop.ids["run_batch"] = office.batch(bills["to_run"])
    for name in ("to_take", "to_end"):
        _leave_unclear(shop, name)
    office.later(days=1)
    shop.sync()
    assert len(office.pass_day().batch_ids) == 1
    (due,) = office.rows(BATCH, BATCH.c.state == "open")
    shop.ids["due_batch"] = due["batch_id"]
    office.delay(bills["delayed"], days=1)
    _fill_reserves(shop)
    office.later(days=1)
    shop.sync(second=100)
    shop.sync()
    _fill_files(shop)
    deactivate(office.ledger, by="ada", person_id="art")
    registry = office.installation.registry
    registry.add_tenant(_IDLE, firm_id="north-books", name="Idle", zone="America/New_York")
    registry.deactivate(tenant_id(_IDLE))
    with office.ledger.act(ACME, actor="system:test", kind="alarm") as act:
        shop.ids["alarm"] = raise_alarm(act, kind="clock differs", subject="x", detail="y", remedy="z")


def _add_a_key(path: Path) -> None:
    """A newer key, with which a rotation would seal everything again."""
    path.write_text(f"{base64.b64encode(bytes(range(32))).decode()}\n{path.read_text()}")


def _override(shop: Shop) -> None:
    office = shop.office
    office.policy(per_payment_cents=1)
    decided = office.pay_now(shop.bills["overridden"], account_id=shop.bank, override="the owner asked for it")
    office.policy(per_payment_cents=None)
    assert decided.break_glass_id is not None
    shop.ids["glass"] = decided.break_glass_id


def _leave_unclear(shop: Shop, name: str) -> None:
    """A payment that waits for a person; `to_take` turned up meanwhile."""
    office, company, bill = shop.office, shop.office.company, shop.bills[name]
    company.sandbox.break_with(
        company.realm_id, kind="drop_before", methods=["POST"], path_contains="billpayment", times=1
    )
    batch = office.batch(bill)
    hasty = replace(POLICY, settle=timedelta(), most_attempts=1)
    assert office.drive(batch, policy=hasty).states == {"needs_review": 1}
    intent = office.intents(batch)[bill]
    shop.ids[f"{name}_payment"] = intent["intent_id"]
    if name == "to_take":
        company.pay_by_hand({"Id": bill}, "10.00", DocNumber=intent["doc_number"])


def _fill_reserves(shop: Shop) -> None:
    """A reserve with money, an empty one, one that is more than its account has by tomorrow."""
    where = (shop.office.ledger, ACME)
    for name, account, cents in (("full", shop.bank, 1_000), ("empty", shop.bank, 0), ("short", SECOND, 50_000)):
        kept = open_reserve(*where, by="dan", kind="tax", name=name, account_id=account)
        shop.ids[name] = kept
        if cents:
            allocate(
                *where, by="dan", reserve_id=kept, amount_cents=cents, reason="for the tax", request_key=f"r-{name}"
            )
    shop.run("reserves", "set", ACME, "tax-q4", "--kind", "tax", "--amount", "90.00", "--reason", "why", "--by", "dan")


def _fill_files(shop: Shop) -> None:
    """From here on a bank is paid by file: one is made, one is to be made, and new details wait for their confirmation."""
    office = shop.office
    vault = TokenVault(keys_from_file(office.installation.settings.key_file))
    office.use_bank(vault)
    office.policy(rail="nacha_file")
    for name in ("to_file", "filed"):
        shop.ids[f"{name}_batch"] = office.batch(shop.bills[name])
    shop.run("batch", "file", ACME, "{filed_batch}", "--to", "{folder}/filed", *_FILE, "--by", "fin")
    details = BankDetails(
        routing_number=Secret("021000021"), account_number=Secret("000987654321"), account_kind="checking"
    )
    propose_payee(office.ledger, ACME, by="pat", vendor_id=office.company.vendor, details=details, vault=vault)
    (shop.folder / "numbers").write_text("021000021\n123456789\n")


def _verbs(tenant: str = ACME) -> Mapping[tuple[str, ...], tuple[str, ...]]:
    """What follows each verb."""
    dan, fin, amy, pat, ada, oli = (("--by", name) for name in ("dan", "fin", "amy", "pat", "ada", "oli"))
    why = ("--reason", "because it is so")
    return {
        ("bills", "approve"): (tenant, "{open}", *amy),
        ("bills", "withdraw-approval"): (tenant, "{staged}", *amy),
        ("bills", "stage"): (tenant, "{staged}", "--account", "{bank}", "--amount", "5.00", *pat),
        ("bills", "unstage"): (tenant, "{staged}", *pat),
        ("bills", "withdraw"): (tenant, "{staged}", *why, *dan),
        ("bills", "reopen"): (tenant, "{withdrawn}", *dan),
        ("decide", "pay-now"): (tenant, "{staged}", "--account", "{bank}", *dan),
        ("decide", "schedule"): (tenant, "{staged}", "--account", "{bank}", "--on", "2099-01-05", *dan),
        ("decide", "delay"): (tenant, "{staged}", "--until", "2099-01-05", *dan),
        ("decide", "confirm-override"): (tenant, "{glass}", *oli),
        ("batch", "finalize"): (tenant, "{decided_id}", *fin),
        ("batch", "finalize-due"): (tenant, "{due_batch}", *fin),
        ("batch", "pass-day"): (tenant,),
        ("batch", "run"): (tenant, "{run_batch}"),
        ("batch", "take"): (tenant, "{to_take_payment}", *fin),
        ("batch", "end"): (tenant, "{to_end_payment}", *why, *fin),
        ("batch", "write-off"): (tenant, "{to_end_payment}", *why, *fin),
        ("batch", "compare"): (tenant,),
        ("batch", "file"): (tenant, "{to_file_batch}", "--to", "{folder}/files", *_FILE, *fin),
        ("batch", "uploaded"): (tenant, "{filed_batch}", *_FILE[:2], *fin),
        ("batch", "discard-file"): (tenant, "{filed_batch}", *why, *fin),
        ("reserves", "open"): (tenant, "--kind", "tax", "--name", "Tax", "--account", "{bank}", *dan),
        ("reserves", "allocate"): (tenant, "{empty}", "--amount", "1.00", *why, *dan),
        ("reserves", "release"): (tenant, "{full}", "--amount", "1.00", *why, *dan),
        ("reserves", "retarget"): (tenant, "{full}", "--amount", "77.00", *dan),
        ("reserves", "close"): (tenant, "{empty}", *dan),
        ("reserves", "floor"): (tenant, "--account", "{bank}", "--amount", "1.00", *oli),
        ("reserves", "bank-balance"): (tenant, "--account", "{bank}", "--amount", "99999.00", *oli),
        ("reserves", "resolve-shortfall"): (tenant, "--account", SECOND, *why, *oli),
        ("reserves", "set"): (tenant, "other-q4", "--kind", "tax", "--amount", "90.00", *why, *dan),
        ("reserves", "remove"): (tenant, "tax-q4", *why, *dan),
        ("ledger", "add-person"): ("new", "--firm", "north-books", "--name", "New"),
        ("ledger", "deactivate-person"): ("vic", *ada),
        ("ledger", "reactivate-person"): ("art", *ada),
        ("ledger", "grant"): (tenant, "vic", "--role", "preparer", *ada),
        ("ledger", "revoke"): (tenant, "vic", "--role", "viewer", *ada),
        ("ledger", "policy"): (tenant, "per_batch_cents=77", *oli),
        ("ledger", "propose-payee"): (tenant, "{vendor}", "--from", "{folder}/numbers", *pat),
        ("ledger", "confirm-payee"): (tenant, "{vendor}", "--ending", "4321", *amy),
        ("ledger", "reject-payee"): (tenant, "{vendor}", *amy),
        ("ledger", "resolve-alarm"): (tenant, "{alarm}", *fin),
        ("keys", "rotate"): (),
        ("tenant", "deactivate"): (tenant,),
        ("tenant", "reactivate"): (_IDLE,),
    }


def _all_with_a_dry_run() -> set[tuple[str, ...]]:
    found = {words for words, command in commands().items() if "--dry-run" in options(command)}
    return {words for words in found if words[0] not in _ELSEWHERE}


def dumped(path: Path) -> dict[str, list[Any]]:
    """Every table's rows in a SQLite file."""
    with closing(sqlite3.connect(path)) as connection:
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            name: sorted(connection.execute(f'SELECT * FROM "{name}"').fetchall(), key=repr)  # noqa: S608 - its own names
            for name in tables
            if name not in _COUNTED_ANYWAY
        }


@pytest.fixture
def shop(sandbox: Sandbox, migrated_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    monkeypatch.setattr("logging.basicConfig", lambda **_: None)  # the runner's streams end with the test
    company = Company(sandbox, realm_id="9130777000000014")
    (tmp_path / "data").mkdir()
    shutil.copyfile(migrated_file, tmp_path / "data" / "runway.sqlite")
    clock = FixedClock(SystemClock().now() - timedelta(hours=50))
    monkeypatch.setenv("RUNWAY_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("RUNWAY_QBO_LOCAL_URL", company.sandbox.url)
    opened = open_installation(tmp_path / "data", company.sandbox.url, clock=clock)
    made = Shop(Office(opened, company), tmp_path)
    _fill(made)
    yield made
    opened.close()


def test_a_dry_run_of_each_verb_changes_no_row(shop: Shop) -> None:
    verbs = _verbs()
    assert set(verbs) == _all_with_a_dry_run(), "each verb with a dry run is tried"
    settings = shop.office.installation.settings
    # Renewed by the first call that needs it, and kept whatever the call was for; then a newer key that rotation would use.
    shop.run("batch", "compare", ACME, "--dry-run")
    _add_a_key(settings.key_file)
    path = Path(str(shop.office.database.url.database))
    before = dumped(path)
    assert all(before[name] for name in ("hold", "intent", "alarm", "break_glass", "reserve_movement", "audit"))
    for verb, rest in verbs.items():
        shop.run(*verb, *rest, "--dry-run")
        now = dumped(path)
        assert [name for name in before if now[name] != before[name]] == [], " ".join(verb)
    assert not (shop.folder / "files").exists()
