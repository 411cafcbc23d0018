"""Sending from the command line: a batch is run once however often it is asked for, and compared with QuickBooks."""

import errno
import json
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from payments.store.batch_tables import INTENT
from payments.store.bill_tables import BILL_WORKFLOW
from resources.token_vault import TokenVault, keys_from_file
from tests.payments.office import Company, MarringClient, Office, furnish, open_installation
from tests.resources.builders import ACME
from tests.sandbox import Sandbox


@pytest.fixture(scope="module")
def furnished(sandbox: Sandbox, migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Company, Path]:
    company = Company(sandbox, realm_id="9130777000000004")
    folder = tmp_path_factory.mktemp("office") / "data"
    furnish(folder, company, migrated=migrated_file)
    return company, folder


@pytest.fixture(autouse=True)
def logging_kept() -> Iterator[None]:
    """A command sets up logging for a process of its own; here its streams end with the test."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def office(furnished: tuple[Company, Path], tmp_path: Path) -> Iterator[Office]:
    company, folder = furnished
    shutil.copytree(folder, tmp_path / "data")
    opened = open_installation(tmp_path / "data", company.sandbox.url)
    yield Office(opened, company, register=False)
    company.sandbox.heal(company.realm_id)
    opened.close()


def _runway(office: Office, *arguments: str, code: int = 0) -> str:
    settings = office.installation.settings
    environment = {"RUNWAY_DATA_DIR": str(settings.data_dir), "RUNWAY_QBO_LOCAL_URL": settings.qbo_local_url}
    done = CliRunner().invoke(app, arguments, env=environment | {"COLUMNS": "250"})
    assert done.exit_code == code, done.output
    return done.output


def test_a_batch_is_run_once_and_compared(office: Office) -> None:
    bill, changed = office.enter("10.00", "20.00")
    batch = office.batch(bill, changed)
    office.company.pay_by_hand({"Id": changed}, "5.00")
    said = _runway(office, "batch", "run", ACME, batch, "--dry-run")
    assert f"not sent: bill {changed} was changed in QuickBooks" in said
    assert "Nothing was sent or changed." in said
    foreseen = json.loads(_runway(office, "batch", "run", ACME, batch, "--dry-run", "--json"))
    assert {step["bill_ids"][0]: step["next_step"] == "sent" for step in foreseen["steps"]} == {
        bill: True,
        changed: False,
    }
    assert foreseen["metered_reads"] <= 4
    assert office.payments_of(batch) == {bill: 0, changed: 0}
    assert {row["state"] for row in office.intents(batch).values()} == {"ready"}
    assert "Settled with exceptions: 1 paid, 1 void." in _runway(office, "batch", "run", ACME, batch)
    assert json.loads(_runway(office, "batch", "run", ACME, batch, "--json"))["outcome"] == "already_settled"
    assert office.payments_of(batch) == {bill: 1, changed: 0}
    assert "No run may take the batch: already settled." in _runway(office, "batch", "run", ACME, batch, "--dry-run")
    assert "No payment waits for a person." in _runway(office, "batch", "review", ACME)
    assert "1 payment compared: 0 twice" in _runway(office, "batch", "compare", ACME, "--dry-run")
    assert "1 payment compared: 0 twice" in _runway(office, "batch", "compare", ACME)
    assert "There is no batch" in _runway(office, "batch", "run", ACME, "another", code=1)


def test_a_payment_of_ours_that_cannot_be_read_is_told_in_words(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    (bill,) = office.enter("10.00")
    batch = office.batch(bill)
    office.drive(batch)
    payment_id = office.intents(batch)[bill]["remote_id"]
    monkeypatch.setattr(MarringClient, "marred", frozenset({payment_id}))
    monkeypatch.setattr("resources.installation.PaymentClient", MarringClient)
    assert f"BillPayment {payment_id}: TotalAmt" in _runway(office, "batch", "compare", ACME, code=1)


def test_a_company_stays_with_the_tenant_whose_ledger_paid_from_it(
    sandbox: Sandbox, migrated_file: Path, tmp_path: Path
) -> None:
    """The next tenant's ledger knows nothing of a payment that is on its way, and its people would pay the bill again."""
    company = Company(sandbox, realm_id="9130777000000044")
    furnish(tmp_path / "data", company, migrated=migrated_file)
    with closing(open_installation(tmp_path / "data", sandbox.url)) as opened:
        office = Office(opened, company, register=False)
        for number in range(2):
            name = f"bolt-supply-{number}"
            _runway(office, "tenant", "add", name, "--firm", "north-books", "--name", name, "--zone", "Europe/London")
        (bill,) = office.enter("10.00")
        batch = office.batch(bill)
        taking = ("connect", "bolt-supply-0", "--realm", company.realm_id)
        _runway(office, "disconnect", ACME)
        _runway(office, "tenant", "deactivate", ACME)
        assert f"1 payment of '{ACME}' went or may go out" in _runway(office, *taking, code=1)
        _runway(office, "tenant", "reactivate", ACME)
        _runway(office, "connect", ACME, "--realm", company.realm_id)
        assert office.drive(batch).outcome == "settled"
        _runway(office, "disconnect", ACME)
        _runway(office, "tenant", "deactivate", ACME)
        assert f"1 payment of '{ACME}' went or may go out" in _runway(office, *taking, code=1)
        _other_company(office, sandbox)


def _other_company(office: Office, sandbox: Sandbox) -> None:
    """One that nobody paid from is taken over."""
    other = Company(sandbox, realm_id="9130777000000045")
    _runway(office, "connect", "bolt-supply-0", "--realm", other.realm_id)
    _runway(office, "disconnect", "bolt-supply-0")
    _runway(office, "tenant", "deactivate", "bolt-supply-0")
    _runway(office, "connect", "bolt-supply-1", "--realm", other.realm_id)


def test_a_payment_that_waits_for_a_person_is_listed_and_ended(office: Office) -> None:
    (bill,) = office.enter("100.00")
    batch = office.batch(bill, amounts={bill: 3_000})
    company = office.company
    company.sandbox.break_with(
        company.realm_id, kind="drop_before", methods=["POST"], path_contains="billpayment", times=1
    )
    office.drive(batch)
    office.later(hours=25)
    office.drive(batch)
    (waiting,) = json.loads(_runway(office, "batch", "review", ACME, "--json"))
    assert (waiting["bill_ids"], waiting["records"]) == ([bill], [])
    wanted = ("end", ACME, waiting["intent_id"], "--by", "fin", "--reason", "it never arrived")
    assert "Would be done" in _runway(office, "batch", *wanted, "--dry-run")
    assert "Done" in _runway(office, "batch", *wanted)
    assert "waits for nobody" in _runway(office, "batch", "take", ACME, waiting["intent_id"], "--by", "fin", code=1)


def test_a_due_payment_that_did_not_pass_is_listed_with_its_ways_out(office: Office) -> None:
    (bill,) = office.enter("100.00")
    office.approve(bill)
    office.stage(bill, account_id=office.company.bank)
    office.schedule(bill, days=2, account_id=office.company.bank)
    office.later(days=2)
    office.sync_books(bill, cash=1_000)
    assert office.pass_day().needs_review == (bill,)
    (waiting,) = json.loads(_runway(office, "batch", "review", ACME, "--json"))
    assert (waiting["intent_id"], waiting["bill_ids"], waiting["amount_cents"]) == (None, [bill], 10_000)
    assert waiting["reason"] == office.rows(BILL_WORKFLOW)[0]["reason"] != ""
    assert "bills withdraw" in waiting["ways_out"]
    said = _runway(office, "batch", "review", ACME)
    assert "decide delay" in said
    office.delay(bill)
    assert "No payment waits for a person." in _runway(office, "batch", "review", ACME)


_FIN = ("--by", "fin", "--bank-routing", "021000021")
_NAMES = ("--bank-name", "First Bank", "--company-id", "1234567890", "--company-name", "Alder Works")


def _batch_of_a_bank(office: Office, *amounts: str) -> tuple[str, list[str]]:
    bills = office.enter(*amounts)
    office.use_bank(TokenVault(keys_from_file(office.installation.settings.key_file)))
    office.policy(rail="nacha_file")
    return office.batch(*bills), bills


def test_a_payment_file_is_made_for_its_owner_alone_uploaded_and_recorded(office: Office, tmp_path: Path) -> None:
    batch, bills = _batch_of_a_bank(office, "10.00", "20.00")
    command = ("batch", "file", ACME, batch, "--to", str(tmp_path / "files"), *_FIN, *_NAMES)
    assert json.loads(_runway(office, *command, "--dry-run", "--json"))["payments"] == 2
    assert not (tmp_path / "files").exists()
    assert {row["attempts"] for row in office.rows(INTENT)} == {0}
    foreseen = _runway(office, "batch", "run", ACME, batch, "--dry-run")
    assert "a person takes its file to the bank" in foreseen
    assert "its money is not instructed yet" in foreseen
    said = _runway(office, *command)
    assert "2 payments of 30.00" in said
    (path,) = (tmp_path / "files").iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(path.read_text().splitlines()) == 10
    assert "before" in _runway(office, *command)
    written = path.read_bytes()
    another = [*command, "--company-id", "9876543210"]
    assert "would not be the same again" in _runway(office, *another, code=1)
    assert path.read_bytes() == written
    elsewhere = ("--by", "fin", "--bank-routing", "091000019")
    assert "made for the bank 021000021" in _runway(office, "batch", "uploaded", ACME, batch, *elsewhere, code=1)
    assert "Waiting: 2 sent, 2 waiting." in _runway(office, "batch", "run", ACME, batch)
    assert "Instructed: 2 payments." in _runway(office, "batch", "uploaded", ACME, batch, *_FIN)
    assert "Settled: 4 paid." in _runway(office, "batch", "run", ACME, batch)
    assert office.payments_of(batch) == dict.fromkeys(bills, 1)


def test_a_payment_file_that_has_no_place_to_go_is_not_made(office: Office, tmp_path: Path) -> None:
    batch, _ = _batch_of_a_bank(office, "10.00")
    (tmp_path / "notes").write_text("a file, no folder")
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    for folder in (tmp_path / "notes", tmp_path / "notes" / "files", tmp_path / "gone" / "files"):
        for more in ((), ("--dry-run",)):
            said = _runway(office, "batch", "file", ACME, batch, "--to", str(folder), *_FIN, *_NAMES, *more, code=1)
            assert f"Nothing can be written to {folder}." in said
    assert {row["attempts"] for row in office.rows(INTENT)} == {0}


def test_a_payment_file_that_the_disk_refused_is_written_by_the_same_command(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch, _ = _batch_of_a_bank(office, "10.00")
    command = ("batch", "file", ACME, batch, "--to", str(tmp_path / "files"), *_FIN, *_NAMES)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr("cli.bank_files.write_whole", full)
        said = _runway(office, *command, code=1)
    assert "cannot be written" in said
    assert "No space left on device" in said
    assert "the same command" in said
    assert "the file that was made before" in _runway(office, *command)
    assert [path.name[:4] for path in (tmp_path / "files").iterdir()] == ["ach-"]
