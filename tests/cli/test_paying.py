"""The payment ledger from the command line: a bill from open to sealed, refusals in words, JSON for programs, dry runs."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.main import app
from cli.session import console
from resources.clock import FixedClock, SystemClock
from resources.database import Database
from tests.cli.command_tree import commands, options
from tests.payments.conftest import desk_file  # noqa: F401 - the fixture
from tests.payments.desk import Desk, make_bill


class Shell:
    """Runs the command in this process on a data folder of its own."""

    def __init__(self, data: Path, desk: Desk) -> None:
        self.desk = desk
        self._environment = {"RUNWAY_DATA_DIR": str(data), "COLUMNS": "250"}

    def __call__(self, *arguments: str, code: int = 0, by: str | None = None) -> str:
        environment = self._environment | ({"RUNWAY_PERSON": by} if by else {})
        done = CliRunner().invoke(app, arguments, env=environment)
        assert done.exit_code == code, done.output
        return done.output

    def json(self, *arguments: str, by: str | None = None) -> Any:
        return json.loads(self(*arguments, "--json", by=by))


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, desk_file: Path) -> Iterator[Shell]:  # noqa: F811 - the fixture
    monkeypatch.setattr("logging.basicConfig", lambda **_: None)  # the runner's streams end with the test
    path = tmp_path / "data" / "runway.sqlite"
    path.parent.mkdir()
    shutil.copyfile(desk_file, path)
    database = Database(f"sqlite:///{path}")
    clock = FixedClock(SystemClock().now())
    clock.sleep(-300)
    desk = Desk(database, clock, register=False)
    desk.sync(make_bill("b1"), make_bill("b2", open_cents=95_000), make_bill("b3"))
    desk.policy(separation_above_cents=5_000)
    yield Shell(tmp_path / "data", desk)
    database.close()


def test_a_bill_from_open_to_a_sealed_batch(shell: Shell) -> None:
    assert "Vendor of b1" in shell("bills", "list", "acme-design")
    assert "It is approved" in shell("bills", "approve", "acme-design", "b1", by="amy")
    assert "900.00 would be free" in shell("bills", "stage", "acme-design", "b1", "--account", "35", by="pat")
    assert "It fits." in shell("decide", "what-if", "acme-design", "b1", "--account", "35")
    said = shell("decide", "pay-now", "acme-design", "b1", "--account", "35", by="dan")
    assert "100.00 is set aside" in said
    (waiting,) = shell.json("batch", "ready", "acme-design")
    assert waiting["amount_cents"] == 10_000
    assert "1 payment of 100.00, apart" in shell("batch", "finalize", "acme-design", by="fin")
    (batch,) = shell.json("batch", "list", "acme-design")
    (payment,) = shell.json("batch", "show", "acme-design", batch["batch_id"])["payments"]
    assert payment["instructed"] is not None
    assert (payment["recorded"], payment["reflected"], payment["settled"]) == (None, False, None)
    assert "payment decided by dan" in shell("bills", "show", "acme-design", "b1")
    assert "The chain holds" in shell("ledger", "verify", "acme-design")


def test_an_approval_names_what_is_approved_and_is_refused_for_what_nobody_saw(shell: Shell) -> None:
    """Between looking and approving the nightly sync comes, and 100.00 becomes 1,000.00."""
    approve = ("bills", "approve", "acme-design", "b1", "--seen")
    told = shell("bills", "show", "acme-design", "b1").splitlines()
    (seen,) = (line.removeprefix("Fingerprint: ") for line in told if line.startswith("Fingerprint: "))
    assert "amy approves bill b1 of Vendor of b1, 100.00 open." in shell(*approve, seen, "--dry-run", by="amy")
    assert "too little of a fingerprint" in shell(*approve, seen[:4], by="amy", code=1)
    shell.desk.sync(make_bill("b1", open_cents=100_000), make_bill("b2", open_cents=95_000), make_bill("b3"))
    said = shell(*approve, seen, by="amy", code=1)
    assert "was changed after you looked at it; 1,000.00 is open by now" in said
    listed = {row["bill_id"]: row for row in shell.json("bills", "list", "acme-design")}
    assert (listed["b1"]["state"], listed["b1"]["open_cents"]) == ("awaiting_approval", 100_000)
    said = shell(*approve, listed["b1"]["fingerprint"], by="amy")
    assert "Done: amy approves bill b1 of Vendor of b1, 1,000.00 open. It is approved." in said


def test_a_batch_whose_payments_were_all_put_off_is_listed_as_given_up(shell: Shell) -> None:
    shell.desk.ready("b1")
    shell.desk.schedule("b1", days=1)
    shell.desk.later(days=1)
    shell.desk.sync(make_bill("b1"), make_bill("b2", open_cents=95_000), make_bill("b3"))
    shell.desk.pass_day()
    assert "given up" not in shell("batch", "list", "acme-design")
    shell.desk.delay("b1")
    assert "given up" in shell("batch", "list", "acme-design")
    assert [row["is_given_up"] for row in shell.json("batch", "list", "acme-design")] == [True]


def test_a_refusal_says_what_is_missing_what_holds_it_and_what_would_help(shell: Shell) -> None:
    shell.desk.ready("b1", "b2")
    shell.desk.pay_now("b1")
    said = shell("decide", "pay-now", "acme-design", "b2", "--account", "35", by="dan", code=1)
    for part in ("50.00 is missing", "pending payment of bill b1 100.00", "would make room"):
        assert part in said
    assert "It does not fit" in shell("decide", "what-if", "acme-design", "b2", "--account", "35")
    found = shell.json("decide", "what-if", "acme-design", "b2=900.00", "--account", "35")
    assert found["fits"]
    assert found["free_after_cents"] == [0]


def test_a_dry_run_checks_everything_and_changes_nothing(shell: Shell) -> None:
    shell.desk.ready("b1")
    said = shell("decide", "pay-now", "acme-design", "b1", "--account", "35", "--dry-run", by="dan")
    assert "Would be done" in said
    assert "Nothing was changed" in said
    shell("decide", "pay-now", "acme-design", "b1", "--account", "35", "--dry-run", by="pat", code=1)
    assert shell.desk.bill("b1")["state"] == "staged"
    done = shell.json("decide", "delay", "acme-design", "b1", "--until", "2099-01-04", "--dry-run", by="dan")
    assert done["done"] is False
    assert shell.desk.bill("b1")["state"] == "staged"


def test_a_vendor_credit_is_named_with_its_amount(shell: Shell) -> None:
    shell.desk.ready("b1")
    command = ("decide", "pay-now", "acme-design", "b1", "--account", "35", "--credit")
    assert "70.00 is set aside" in shell(*command, "77=30.00", "--dry-run", by="dan")
    done = shell.json(*command, "77=30.00", by="dan")
    assert done["result"]["amount_cents"] == 7_000


def test_what_cannot_be_done_is_answered_in_words(shell: Shell) -> None:
    shell.desk.ready("b1")
    pay = ("decide", "pay-now", "acme-design", "b1", "--account")
    for arguments, says in (
        ((*pay, "35", "--credit", "77"), "write it as ID=AMOUNT"),
        ((*pay, "35", "--amount", "1.005"), "more than two decimals"),
        ((*pay, "99"), "Cash accounts of the newest sync: 35"),
        (("decide", "delay", "acme-design", "b1", "--until", "tomorrow"), "'tomorrow' is no day"),
        (("bills", "approve", "acme-design", "b9"), "There is no open bill 'b9'"),
        (("bills", "approve", "nobody-known", "b1"), "nobody-known"),
        (("batch", "run", "acme-design", "p9", "--dry-run"), "There is no batch 'p9'"),
    ):
        said = shell(*arguments, by=None if arguments[0] == "batch" else "dan", code=1)
        assert "Not done." in said
        assert says in said


def test_the_same_key_does_it_once(shell: Shell) -> None:
    shell.desk.ready("b1")
    command = ("decide", "schedule", "acme-design", "b1", "--account", "35", "--on", "2099-01-04", "--key", "k")
    assert shell.json(*command, by="dan")["result"] == shell.json(*command, by="dan")["result"]


def test_reserves_take_and_give_cash(shell: Shell) -> None:
    opened = shell.json(
        "reserves", "open", "acme-design", "--kind", "tax", "--name", "Tax", "--account", "35", by="dan"
    )
    reserve = opened["result"]
    said = shell("reserves", "allocate", "acme-design", reserve, "--amount", "400.00", "--reason", "quarter", by="dan")
    assert "It holds 400.00" in said
    retarget = ("reserves", "retarget", "acme-design", reserve)
    shell(*retarget, "--amount", "900.00", "--until", "2099-01-15", by="dan")
    (held,) = shell.json("reserves", "held", "acme-design")
    assert (held["target_cents"], held["target_on"]) == (90_000, "2099-01-15")
    shell(*retarget, "--amount", "-1.00", by="dan", code=1)
    shell(*retarget, by="dan")
    assert shell.json("reserves", "held", "acme-design")[0]["target_cents"] is None
    shell("reserves", "floor", "acme-design", "--account", "35", "--amount", "100.00", by="oli")
    (cash,) = shell.json("reserves", "cash", "acme-design")
    assert (cash["free_cents"], cash["reserved_cents"], cash["floor_cents"]) == (50_000, 40_000, 10_000)
    assert "reserve Tax 400.00" in shell("reserves", "cash", "acme-design")
    shell("reserves", "release", "acme-design", reserve, "--amount", "400.00", "--reason", "not due", by="dan")
    shell("reserves", "close", "acme-design", reserve, by="dan")
    assert not shell.json("reserves", "held", "acme-design")[0]["is_open"]


def test_people_and_policy_are_set_by_those_who_may(shell: Shell) -> None:
    assert "first administrator" in shell("ledger", "grant", "acme-design", "amy", "--role", "administrator", code=1)
    new = ("ledger", "add-person", "new", "--firm", "north-books", "--name", "New")
    assert "Nothing was changed" in shell(*new, "--dry-run")
    assert shell.json(*new)["done"]
    assert "a person 'new' already" in shell(*new, code=1)
    typo = ("ledger", "add-person", "typo", "--firm", "typo", "--name", "New", "--json")
    assert "There is no firm 'typo'" in shell(*typo, code=1)
    shell("ledger", "grant", "acme-design", "new", "--role", "viewer", by="ada")
    assert any(row["person_id"] == "new" for row in shell.json("ledger", "people", "acme-design"))
    shell("ledger", "revoke", "acme-design", "new", "--role", "viewer", by="ada")
    rules = 'rules=[{"above_cents": 100000, "approvals": 2}]'
    shell("ledger", "policy", "acme-design", "per_batch_cents=900000", rules, by="oli")
    assert shell.json("ledger", "policy", "acme-design")["rules"][0]["approvals"] == 2
    for wrong, says in (
        ('rules=[{"nonsense": 1}]', 'rules[0] is {"nonsense": 1}, but has to be an object with some of above_cents'),
        ('rules=[{"vendor_ids":"v-b1","approvals":2}]', 'rules[0].vendor_ids is "v-b1", but has to be a list of ids'),
        ("separation_above_cents=abc", 'separation_above_cents is "abc", but has to be a whole number of cents'),
        ("separation_above_cents=", "separation_above_cents is null, but has to be a whole number of cents"),
        ("payee_watch_days=[]", "payee_watch_days is [], but has to be a whole number of days"),
        ("per_payment_cents=500.5", "per_payment_cents is 500.5, but has to be a whole number of cents"),
        ("per_payment_cents", "Write name=value."),
    ):
        for as_json in ((), ("--json",)):
            said = shell("ledger", "policy", "acme-design", wrong, *as_json, by="oli", code=1)
            assert "Not done." in said
            assert says in said
    assert shell.json("ledger", "policy", "acme-design")["version"] == 2
    assert "policy set" in shell("ledger", "audit", "acme-design")


def test_bank_details_are_asked_for_and_never_shown(shell: Shell, tmp_path: Path) -> None:
    numbers = tmp_path / "numbers"
    propose = ("ledger", "propose-payee", "acme-design", "v-b1", "--from", str(numbers))
    assert "cannot be read: No such file" in shell(*propose, by="pat", code=1)
    numbers.write_bytes(b"\xff\xfe\x80")
    assert "is no text" in shell(*propose, by="pat", code=1)
    numbers.write_text("021000021\n123456789\n")
    said = shell(*propose, by="pat")
    said += shell("ledger", "confirm-payee", "acme-design", "v-b1", "--ending", "6789", by="amy")
    said += shell("ledger", "list-payees", "acme-design")
    assert "6789" in said
    assert "123456789" not in said


def test_on_a_narrow_screen_every_id_is_whole_and_no_line_is_cut(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "_width", 80)
    shell.desk.ready("b1")
    decided = shell.desk.pay_now("b1")
    batch = shell.desk.finalize(decided).batch_id
    for command, whole in (
        (("bills", "list", "acme-design"), "Vendor of b2"),
        (("batch", "list", "acme-design"), batch),
        (("batch", "show", "acme-design", batch), "RW-"),
        (("ledger", "audit", "acme-design"), f"batch {batch}"),
        (("ledger", "people", "acme-design"), "administrator"),
        (("ledger", "roles"), "look at bills, cash, batches and the audit"),
        (("reserves", "cash", "acme-design"), "Free"),
    ):
        said = shell(*command)
        assert whole.lower() in said.lower(), command
        assert max(map(len, said.splitlines())) <= 80, command
        assert "…" not in said


#: Commands that only read: nothing to try without doing it.
_READING = {
    ("sync", "status"),
    *(("forecast", name) for name in ("items", "documents")),
    ("vendors", "list"),
    *(("customers", name) for name in ("list", "notes")),
    ("tray", "list"),
    *(("reserves", name) for name in ("list", "cash", "held")),
    *(("bills", name) for name in ("list", "show")),
    *(("decide", name) for name in ("what-if", "overrides")),
    *(("batch", name) for name in ("ready", "list", "show", "review")),
    *(("ledger", name) for name in ("verify", "audit", "people", "roles", "alarms", "list-payees")),
    *(("mail", name) for name in ("status", "preview")),
    ("mail", "recipients", "list"),
}
#: Programs, and what sets an installation up: they decide nothing, and answer in words.
_IN_WORDS = {
    *((name,) for name in ("connect", "disconnect", "reconcile", "friday", "test-drive", "open", "webhooks")),
    *((name,) for name in ("sandbox", "dagster", "demo")),
    *(("firm", name) for name in ("add", "list")),
    *(("tenant", name) for name in ("add", "list", "set")),
    ("mail", "listen"),
}


def test_every_verb_that_changes_something_has_a_dry_run_and_json() -> None:
    """A new command has both, or stands in one of the two lists."""
    found = {words: options(command) for words, command in commands().items()}
    assert found.keys() >= _READING | _IN_WORDS
    for words, takes in found.items():
        assert ("--json" in takes) == (words not in _IN_WORDS), words
        assert ("--dry-run" in takes) == (words not in _READING | _IN_WORDS), words


def test_a_broken_ledger_ends_with_an_exit_code(shell: Shell) -> None:
    with shell.desk.database.write() as connection:
        connection.exec_driver_sql("UPDATE vendor_watch SET name = 'Somebody Else'")
    assert "not as told" in shell("ledger", "verify", "acme-design", code=1)


def test_somebody_who_left_acts_nowhere_any_more(shell: Shell) -> None:
    shell("bills", "approve", "acme-design", "b1", by="amy")
    leave = ("ledger", "deactivate-person", "amy")
    assert "Their roles end with acme-design" in shell(*leave, "--dry-run", by="ada")
    shell("bills", "approve", "acme-design", "b2", by="amy")
    shell(*leave, by="pat", code=1)
    assert shell.json(*leave, by="ada")["result"] == ["acme-design"]
    assert "may not approve" in shell("bills", "approve", "acme-design", "b3", by="amy", code=1)
    assert "amy" not in {one["person_id"] for one in shell.json("ledger", "people", "acme-design")}
    assert "amy" in shell("ledger", "audit", "acme-design", "--about", "bill_workflow/b1/1")
    assert "The chain holds" in shell("ledger", "verify", "acme-design")


def test_somebody_who_comes_back_has_no_role_until_one_is_granted_anew(shell: Shell) -> None:
    back = ("ledger", "reactivate-person", "amy")
    assert "is active" in shell(*back, by="ada", code=1)
    shell("ledger", "deactivate-person", "amy", by="ada")
    approver = ("ledger", "grant", "acme-design", "amy", "--role", "approver")
    assert "reactivate-person" in shell(*approver, by="ada", code=1)
    for nobody in ("pat", "amy"):
        assert "is an administrator of no tenant" in shell(*back, by=nobody, code=1)
    assert "There is no person 'bob'" in shell("ledger", "reactivate-person", "bob", by="ada", code=1)
    shell(*back, by="ada")
    approve = ("bills", "approve", "acme-design", "b1")
    assert "may not approve" in shell(*approve, by="amy", code=1)
    shell(*approver, by="ada")
    shell(*approve, by="amy")
    assert "The chain holds" in shell("ledger", "verify", "acme-design")


def test_a_deactivation_that_was_broken_off_is_finished_before_anybody_comes_back(shell: Shell) -> None:
    """Their roles would come back with them."""
    with shell.desk.database.write() as connection:
        connection.exec_driver_sql("UPDATE person SET active = 0 WHERE person_id = 'amy'")
    assert "was broken off" in shell("ledger", "reactivate-person", "amy", by="ada", code=1)
    shell("ledger", "deactivate-person", "amy", by="ada")
    shell("ledger", "reactivate-person", "amy", by="ada")
    assert "may not approve" in shell("bills", "approve", "acme-design", "b1", by="amy", code=1)
