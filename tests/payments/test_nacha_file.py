"""The ACH file: its layout record by record, its totals, the same bytes again; made, uploaded or thrown away, and then recorded."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from payments.bills.postponing import withdraw
from payments.bills.rulings import Credit
from payments.controls.payees import BankDetails, confirm_payee, is_routing_number, propose_payee
from payments.errors import BadRequest, ContentChanged, NotAllowed, SealBroken, UnknownHere, WrongState
from payments.rails.nacha_file import Entry, Originator, Place, effective_day, file_text
from payments.sending.bank_files import confirm_upload, discard_file, make_file
from payments.sending.review import end_payment, write_off
from payments.store.batch_tables import ATTEMPT, INTENT
from payments.store.cash_tables import HOLD
from resources.secret_text import Secret
from resources.token_vault import TokenVault
from tests.payments.office import POLICY, Company, Office, furnish, open_installation
from tests.sandbox import Sandbox

ORIGINATOR = Originator(
    bank_routing="021000021", bank_name="First Bank", company_id="1234567890", company_name="Alder Works"
)
VAULT = TokenVault([bytes(range(32))])
_FIRST = Place()
_ROUTINGS = ("021000021", "011401533", "091000019", "122105278")


def _entry(
    cents: int = 12_345, *, routing: str = "091000019", name: str = "Café Müller", kind: str = "checking"
) -> Entry:
    details = BankDetails(routing_number=Secret(routing), account_number=Secret("000123456789"), account_kind=kind)
    return Entry(details=details, amount_cents=cents, reference="RW-ABCDEFGHIJKLMNOPQR", vendor_name=name)


def _file(*entries: Entry, place: Place = _FIRST) -> list[str]:
    made = datetime(2026, 11, 20, 9, 5, tzinfo=UTC)
    return file_text(ORIGINATOR, entries, made_at=made, effective_on=date(2026, 11, 23), place=place).splitlines()


def test_a_file_is_laid_out_as_nacha_says() -> None:
    lines = _file(_entry())
    assert lines[0] == (
        "101 0210000211234567890"
        + "2611200905"
        + "A094101"
        + "FIRST BANK             "
        + "ALDER WORKS            "
        + " " * 8
    )
    assert lines[1] == (
        "5220"
        + "ALDER WORKS     "
        + " " * 20
        + "1234567890"
        + "CCD"
        + "VENDOR PAY"
        + "261120"
        + "261123"
        + "   1"
        + "02100002"
        + "0000001"
    )
    assert lines[2] == (
        "622091000019"
        + "000123456789     "
        + "0000012345"
        + "RW-ABCDEFGHIJKL"
        + "CAFE MULLER           "
        + "  0"
        + "021000020000001"
    )
    assert lines[3] == (
        "8220" + "000001" + "0009100001" + "0" * 12 + "000000012345" + "1234567890" + " " * 25 + "02100002" + "0000001"
    )
    assert lines[4] == "9" + "000001" + "000001" + "00000001" + "0009100001" + "0" * 12 + "000000012345" + " " * 39
    assert lines[5:] == ["9" * 94] * 5


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(
            st.integers(1, 10**10 - 1),
            st.sampled_from(_ROUTINGS),
            st.text(max_size=40),
            st.sampled_from(["checking", "savings"]),
        ),
        min_size=1,
        max_size=40,
    )
)
def test_every_file_is_whole_blocks_of_ascii_whose_totals_are_those_of_its_entries(
    drawn: list[tuple[int, str, str, str]],
) -> None:
    entries = [_entry(cents, routing=routing, name=name, kind=kind) for cents, routing, name, kind in drawn]
    if sum(entry.amount_cents for entry in entries) >= 10**12:
        return
    lines = _file(*entries)
    assert len(lines) % 10 == 0
    assert all(len(line) == 94 and line.isascii() and line.isprintable() for line in lines)
    details = [line for line in lines if line[0] == "6"]
    control = next(line for line in lines if line[0] == "8")
    assert int(control[4:10]) == len(details) == len(entries)
    assert int(control[10:20]) == sum(int(line[3:11]) for line in details) % 10**10
    assert int(control[32:44]) == sum(int(line[29:39]) for line in details) == sum(cents for cents, *_ in drawn)
    assert len({line[79:94] for line in details}) == len(details)


def test_what_has_no_place_in_a_file_is_refused_before_anything_is_written() -> None:
    assert is_routing_number("021000021")
    assert not is_routing_number("021000022")
    assert not is_routing_number("02100002")
    for entry in (_entry(0), _entry(10**10), _entry(routing="021000022"), _entry(kind="loan")):
        with pytest.raises(BadRequest):
            _file(entry)
    with pytest.raises(BadRequest, match="no payment"):
        _file()
    with pytest.raises(BadRequest, match="routing number"):
        file_text(
            replace(ORIGINATOR, bank_routing="1"),
            [_entry()],
            made_at=datetime(2026, 11, 20, tzinfo=UTC),
            effective_on=date(2026, 11, 23),
            place=_FIRST,
        )


def test_files_of_a_day_have_a_letter_or_digit_each_and_entries_a_number_each() -> None:
    assert [_file(_entry(), place=Place(files_of_day=earlier))[0][33] for earlier in (0, 1, 25, 26, 35)] == list(
        "ABZ09"
    )
    with pytest.raises(BadRequest, match="36 payment files were made today"):
        _file(_entry(), place=Place(files_of_day=36))
    lines = _file(_entry(), _entry(), place=Place(entries=41))
    assert [line[79:94] for line in lines[2:4]] == ["021000020000042", "021000020000043"]
    assert _file(_entry(), place=Place(entries=10**7 + 4))[2][79:94] == "021000020000005"


def test_money_moves_on_a_weekday_after_the_file_was_made() -> None:
    friday = date(2026, 11, 20)
    assert effective_day(friday, made_on=friday) == date(2026, 11, 23)
    assert effective_day(date(2026, 11, 25), made_on=friday) == date(2026, 11, 25)
    assert effective_day(date(2026, 11, 28), made_on=friday) == date(2026, 11, 30)


def test_money_moves_on_no_holiday_of_the_banks() -> None:
    thanksgiving = date(2026, 11, 26)
    assert effective_day(thanksgiving, made_on=date(2026, 11, 20)) == date(2026, 11, 27)
    assert effective_day(date(2026, 11, 25), made_on=date(2026, 11, 25)) == date(2026, 11, 27)
    assert effective_day(date(2026, 12, 25), made_on=thanksgiving) == date(2026, 12, 28), "a Friday; then the weekend"


@pytest.fixture(scope="module")
def furnished(sandbox: Sandbox, migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Company, Path]:
    company = Company(sandbox, realm_id="9130777000000006")
    folder = tmp_path_factory.mktemp("office") / "data"
    furnish(folder, company, migrated=migrated_file)
    return company, folder


@pytest.fixture
def office(furnished: tuple[Company, Path], tmp_path: Path) -> Iterator[Office]:
    company, folder = furnished
    shutil.copytree(folder, tmp_path / "data")
    opened = open_installation(tmp_path / "data", company.sandbox.url)
    made = Office(opened, company, register=False)
    yield made
    opened.close()


def _batch(office: Office, *amounts: str) -> tuple[str, list[str]]:
    bills = office.enter(*amounts)
    office.use_bank()
    office.policy(rail="nacha_file")
    return office.batch(*bills), bills


def _make(office: Office, batch: str, *, by: str = "fin", originator: Originator = ORIGINATOR) -> str:
    books = office.installation.bill_payments(office.tenant)
    wanted = {"by": by, "batch_id": batch, "originator": originator, "books": books, "vault": VAULT}
    return make_file(office.ledger, office.tenant, **wanted).text


def _accounts(text_of_file: str) -> list[str]:
    return [line[12:29].rstrip() for line in text_of_file.splitlines() if line[0] == "6"]


def _upload(office: Office, batch: str) -> int:
    routing = ORIGINATOR.bank_routing
    return confirm_upload(office.ledger, office.tenant, by="fin", batch_id=batch, bank_routing=routing)


def test_a_batch_is_recorded_once_the_person_says_that_the_bank_has_its_file(office: Office) -> None:
    batch, bills = _batch(office, "100.00", "50.00")
    driven = office.drive(batch)
    assert (driven.outcome, driven.states) == ("waiting", {"ready": 2, "waiting": 2})
    text = _make(office, batch)
    office.later(hours=3)
    assert _make(office, batch) == text, "the same file again"
    assert _accounts(text) == ["000123456789"] * 2
    assert "15000" in text.splitlines()[-5]
    assert office.drive(batch).states == {"sent": 2, "waiting": 2}
    assert office.payments_of(batch) == dict.fromkeys(bills, 0)
    with pytest.raises(NotAllowed):
        confirm_upload(office.ledger, office.tenant, by="vic", batch_id=batch, bank_routing=ORIGINATOR.bank_routing)
    assert (
        confirm_upload(office.ledger, office.tenant, by="fin", batch_id=batch, bank_routing=ORIGINATOR.bank_routing)
        == 2
    )
    assert office.drive(batch).outcome == "settled"
    assert office.payments_of(batch) == dict.fromkeys(bills, 1)
    assert {row["state"] for row in office.rows(HOLD, HOLD.c.decision_id.is_not(None))} == {"posted"}
    assert office.broken() == []
    with pytest.raises(UnknownHere):
        confirm_upload(office.ledger, office.tenant, by="fin", batch_id=batch, bank_routing=ORIGINATOR.bank_routing)


def test_a_file_that_was_thrown_away_is_made_anew(office: Office) -> None:
    batch, bills = _batch(office, "100.00")
    _make(office, batch)
    assert discard_file(office.ledger, office.tenant, by="fin", batch_id=batch, reason="wrong day") == 1
    assert [row["state"] for row in office.rows(INTENT, INTENT.c.leg == "rail")] == ["ready"]
    assert office.broken() == []
    office.later(days=1)
    _make(office, batch)
    confirm_upload(office.ledger, office.tenant, by="fin", batch_id=batch, bank_routing=ORIGINATOR.bank_routing)
    assert office.drive_to_the_end(batch).outcome == "settled"
    assert office.payments_of(batch) == {bills[0]: 1}


def test_files_and_their_entries_are_told_apart_whatever_was_thrown_away_and_wherever_the_clock_went(
    office: Office,
) -> None:
    bills = office.enter("100.00", "50.00", "20.00", "30.00")
    office.use_bank()
    office.policy(rail="nacha_file")
    first, second, third = office.batch(*bills[:2]), office.batch(bills[2]), office.batch(bills[3])
    made = [_make(office, first), _make(office, second)]
    discard_file(office.ledger, office.tenant, by="fin", batch_id=first, reason="the bank's website was down")
    office.later(hours=-1)
    made.append(_make(office, first))
    assert [_place(text) for text in made] == [("A", [1, 2]), ("B", [3]), ("C", [4, 5])]
    office.later(days=1)
    made.append(_make(office, third))
    assert _place(made[-1]) == ("A", [6]), "another day"
    assert [_make(office, batch) for batch in (second, first, third)] == made[1:], "the same files again"
    assert _upload(office, first) == 2
    named = [row["remote_id"] for row in office.rows(INTENT, INTENT.c.leg == "rail", INTENT.c.batch_id == first)]
    assert sorted(named) == [line[79:94] for line in made[2].splitlines() if line[0] == "6"]
    assert office.broken() == []


def _place(text_of_file: str) -> tuple[str, list[int]]:
    lines = text_of_file.splitlines()
    return lines[0][33], [int(line[87:94]) for line in lines if line[0] == "6"]


def test_an_upload_is_confirmed_with_the_routing_number_of_a_bank(office: Office) -> None:
    batch, _ = _batch(office, "100.00")
    _make(office, batch)
    for wrong in ("1", "021000022", ""):
        with pytest.raises(BadRequest, match="not the routing number of a bank"):
            confirm_upload(office.ledger, office.tenant, by="fin", batch_id=batch, bank_routing=wrong)
    assert [row["state"] for row in office.rows(INTENT, INTENT.c.leg == "rail")] == ["sent"]


def test_a_file_is_not_made_again_in_the_name_of_another_company(office: Office) -> None:
    """Who pays comes from the shell: that of another company made a file that moves the money from its account."""
    batch, _ = _batch(office, "100.00", "50.00")
    text_of_file = _make(office, batch)
    for other, told in (
        (replace(ORIGINATOR, bank_routing="091000019"), "made for the bank 021000021, and 091000019 is named now"),
        (replace(ORIGINATOR, company_id="9876543210"), "the company's id is another"),
    ):
        with pytest.raises(WrongState, match=told):
            _make(office, batch, originator=other)
    assert _make(office, batch) == text_of_file
    discard_file(office.ledger, office.tenant, by="fin", batch_id=batch, reason="the account is at another bank now")
    elsewhere = replace(ORIGINATOR, bank_routing="091000019")
    text_of_file = _make(office, batch, originator=elsewhere)
    assert _make(office, batch, originator=elsewhere) == text_of_file
    with pytest.raises(BadRequest, match="made for the bank 091000019, not for 021000021"):
        _upload(office, batch)
    assert {row["state"] for row in office.rows(INTENT, INTENT.c.leg == "rail")} == {"sent"}
    assert confirm_upload(office.ledger, office.tenant, by="fin", batch_id=batch, bank_routing="091000019") == 2
    assert office.broken() == []


def test_a_file_that_was_made_before_its_hash_was_kept_is_made_again_and_uploaded(office: Office) -> None:
    batch, _ = _batch(office, "100.00")
    text_of_file = _make(office, batch)
    with office.database.write() as connection:
        connection.execute(ATTEMPT.update().values(detail=None))
    assert _make(office, batch) == text_of_file
    assert _upload(office, batch) == 1


def test_no_file_is_made_of_a_bill_that_somebody_paid_meanwhile(office: Office) -> None:
    batch, bills = _batch(office, "100.00", "50.00")
    office.company.pay_by_hand({"Id": bills[0]}, "100.00")
    with pytest.raises(ContentChanged, match=bills[0]):
        _make(office, batch)
    assert {row["state"] for row in office.rows(INTENT, INTENT.c.leg == "rail")} == {"ready"}


@pytest.mark.parametrize(("column", "value"), [("amount_cents", 1), ("body", b"{}")])
def test_no_file_is_made_of_payments_that_are_not_what_was_sealed(office: Office, column: str, value: object) -> None:
    batch, _ = _batch(office, "100.00")
    with office.database.write() as connection:
        connection.execute(text("DROP TRIGGER intent_keeps_what_it_is"))
        connection.execute(INTENT.update().where(INTENT.c.leg == "rail").values({column: value}))
    with pytest.raises(SealBroken):
        _make(office, batch)
    assert [row["state"] for row in office.rows(INTENT, INTENT.c.leg == "rail")] == ["ready"]


def test_no_file_is_made_to_bank_details_that_were_replaced_since(office: Office) -> None:
    batch, bills = _batch(office, "100.00")
    vendor = office.company.vendor
    other = BankDetails(
        routing_number=Secret("091000019"), account_number=Secret("000987654321"), account_kind="checking"
    )
    propose_payee(office.ledger, office.tenant, by="pat", vendor_id=vendor, details=other, vault=VAULT)
    assert _accounts(_make(office, batch)) == ["000123456789"], "a proposal pays nobody and stops nothing"
    discard_file(office.ledger, office.tenant, by="fin", batch_id=batch, reason="the vendor called")
    confirm_payee(office.ledger, office.tenant, by="amy", vendor_id=vendor, account_ending="4321")
    with pytest.raises(ContentChanged, match=rf"bank details of .* were replaced.*Delay or withdraw bill {bills[0]}"):
        _make(office, batch)
    assert [row["state"] for row in office.rows(INTENT, INTENT.c.leg == "rail")] == ["ready"]
    assert office.payments_of(batch) == {bills[0]: 0}

    office.delay(bills[0], days=1)
    assert office.cash(office.company.bank).pending_cents == 0
    assert office.drive(batch).outcome == "settled_with_exceptions"
    office.later(days=1)
    office.sync_books(*bills)
    office.pass_day()
    again = office.finalize(office.pay_now(bills[0], account_id=office.company.bank)).batch_id
    assert _accounts(_make(office, again)) == ["000987654321"]
    _upload(office, again)
    assert office.drive_to_the_end(again).outcome == "settled"
    assert office.payments_of(again) == {bills[0]: 1}
    assert office.broken() == []


def _end(office: Office, intent_id: str, *, how: Callable[..., None] = end_payment) -> None:
    wanted = {"by": "fin", "intent_id": intent_id, "reason": "the bill is another one now", "policy": POLICY}
    how(office.ledger, office.tenant, office.outside(), **wanted)


def test_a_payment_that_no_file_was_made_of_can_be_written_off(office: Office) -> None:
    batch, _ = _batch(office, "100.00", "50.00")
    (first, _) = office.rows(INTENT, INTENT.c.leg == "rail")
    _end(office, first["intent_id"], how=write_off)
    assert sorted(office.bill_states().values()) == ["batched", "written_off"]
    _make(office, batch)
    _upload(office, batch)
    assert office.drive_to_the_end(batch).outcome == "settled_with_exceptions"
    assert sorted(office.bill_states().values()) == ["paid", "written_off"]
    assert office.broken() == []


def test_a_payment_of_several_bills_that_no_file_takes_is_ended_as_a_whole(office: Office) -> None:
    office.policy(group_by_vendor=True)
    batch, bills = _batch(office, "100.00", "50.00")
    _make(office, batch)
    (payment,) = office.rows(INTENT, INTENT.c.leg == "rail")
    with pytest.raises(WrongState, match="waits for nobody"):
        _end(office, payment["intent_id"])
    discard_file(office.ledger, office.tenant, by="fin", batch_id=batch, reason="not needed yet")
    office.company.change_bill(bills[0], more=100)
    office.later(minutes=5)
    office.sync_books(*bills)
    _refuses_to_let_go(office, *bills)
    with pytest.raises(
        ContentChanged, match=rf"bill {bills[0]} .*`runway batch end` of payment {payment['intent_id']}"
    ):
        _make(office, batch)
    assert office.cash(office.company.bank).pending_cents == 15_000

    _end(office, payment["intent_id"])
    assert office.cash(office.company.bank).pending_cents == 0
    assert office.drive(batch).outcome == "settled_with_exceptions"
    assert set(office.bill_states().values()) == {"needs_review"}
    assert office.broken() == []
    again = office.finalize(office.pay_now(bills[1], account_id=office.company.bank)).batch_id
    assert len(_accounts(_make(office, again))) == 1
    _upload(office, again)
    assert office.drive_to_the_end(again).outcome == "settled"
    assert office.payments_of(again) == {bills[1]: 1}
    assert office.broken() == []


def test_what_a_file_may_have_paid_is_neither_put_off_nor_taken_out(office: Office) -> None:
    """Not while the file is out, which is longer than a sync that finds the bill changed, nor once the bank has it."""
    batch, bills = _batch(office, "100.00", "50.00")
    _make(office, batch)
    office.company.change_bill(bills[0], more=100)
    office.later(minutes=5)
    office.sync_books(*bills)
    _refuses_to_let_go(office, *bills)
    _upload(office, batch)
    _refuses_to_let_go(office, *bills)
    assert office.drive(batch).states == {"paid": 3, "needs_review": 1}
    assert office.broken() == []


def test_a_bill_paid_otherwise_after_its_file_was_thrown_away_keeps_nobody_else_waiting(office: Office) -> None:
    batch, bills = _batch(office, "100.00", "50.00", "20.00")
    _make(office, batch)
    _refuses_to_let_go(office, *bills)
    discard_file(office.ledger, office.tenant, by="fin", batch_id=batch, reason="one is paid by hand instead")
    office.company.pay_by_hand({"Id": bills[0]}, "100.00")
    office.later(minutes=5)
    office.sync_books(*bills)
    withdraw(office.ledger, office.tenant, by="dan", bill_id=bills[1], reason="not owed", request_key=office.key())
    assert office.cash(office.company.bank).pending_cents == 2_000
    _make(office, batch)
    _refuses_to_let_go(office, bills[2])
    _upload(office, batch)
    assert office.drive_to_the_end(batch).outcome == "settled_with_exceptions"
    assert office.bill_states() == dict(zip(bills, ("superseded", "withdrawn", "paid"), strict=True))
    assert office.payments_of(batch) == {bills[0]: 0, bills[1]: 0, bills[2]: 1}
    assert office.broken() == []


def _refuses_to_let_go(office: Office, *bills: str) -> None:
    held = office.cash(office.company.bank).pending_cents
    for bill in bills:
        with pytest.raises(WrongState, match="under way"):
            office.delay(bill)
        with pytest.raises(WrongState, match="under way"):
            withdraw(office.ledger, office.tenant, by="dan", bill_id=bill, reason="no", request_key=office.key())
        assert office.bill_states()[bill] == "batched"
    assert office.cash(office.company.bank).pending_cents == held
    assert office.broken() == []


def test_no_file_is_made_of_a_payment_whose_vendor_credit_is_gone(office: Office) -> None:
    (bill,) = office.enter("100.00")
    office.use_bank()
    office.policy(rail="nacha_file")
    office.approve(bill)
    office.stage(bill, account_id=office.company.bank)
    used = [Credit(credit_id=office.company.credit(20.0), amount_cents=3_000)]
    batch = office.finalize(office.pay_now(bill, account_id=office.company.bank, credits_used=used)).batch_id
    with pytest.raises(ContentChanged, match=r"has 20.00 left, and 30.00 of it"):
        _make(office, batch)
    assert [row["state"] for row in office.rows(INTENT, INTENT.c.leg == "rail")] == ["ready"]


def test_a_file_that_is_at_the_bank_already_is_the_same_whatever_was_replaced_since(office: Office) -> None:
    batch, _ = _batch(office, "100.00")
    text_of_file = _make(office, batch)
    other = BankDetails(
        routing_number=Secret("091000019"), account_number=Secret("000987654321"), account_kind="checking"
    )
    propose_payee(office.ledger, office.tenant, by="pat", vendor_id=office.company.vendor, details=other, vault=VAULT)
    confirm_payee(office.ledger, office.tenant, by="amy", vendor_id=office.company.vendor, account_ending="4321")
    assert _make(office, batch) == text_of_file


def test_bank_details_are_in_the_file_and_nowhere_else(office: Office) -> None:
    batch, _ = _batch(office, "100.00")
    _make(office, batch)
    database = office.installation.settings.data_dir / "runway.sqlite"
    for path in (database, database.with_name("runway.sqlite-wal")):
        assert b"000123456789" not in path.read_bytes()
