"""What people enter by the command: recorded with who and why, tried without a trace, refused in words, told as JSON."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from cli.entering import objects_in_books, parse_hundredths
from resources.clock import FixedClock
from resources.entries import EntryRefused
from resources.installation import Installation
from resources.qbo.transactions import Invoice
from resources.tenants import tenant_id
from tests.cli.command import Command, running
from tests.firm import connect
from tests.sandbox import Sandbox

#: The command reads the machine's clock, so its days are counted from now.
_TODAY = datetime.now(tz=UTC).date()
_LATER, _SOONER = (_TODAY + timedelta(days=40)).isoformat(), (_TODAY - timedelta(days=2)).isoformat()
_WHY = ("--reason", "said so", "--by", "ann")


@pytest.fixture
def command(bare_installation: Installation) -> Iterator[Command]:
    """The command for a tenant whose books were never read."""
    registry = bare_installation.registry
    registry.add_firm("oak", name="Oak")
    registry.add_tenant("acme", firm_id="oak", name="Acme", zone="Europe/London")
    yield from running(bare_installation)


@pytest.fixture
def command_with_books(installation: Installation, sandbox: Sandbox, clock: FixedClock) -> Iterator[Command]:
    """The command for a tenant with the books of a generated company."""
    realm = sandbox.add_company(
        realm_id="9130395000000001",
        name="Acme generated",
        industry="consulting",
        size="micro",
        seed=4,
        as_of="2026-11-20",
        zone="Europe/London",
    )
    installation.registry.add_firm("oak", name="Oak")
    installation.registry.add_tenant("acme", firm_id="oak", name="Acme", zone="Europe/London")
    connect(installation, "acme", realm)
    installation.smart_sync.sync(tenant_id("acme"))
    yield from running(installation)


def _add(*more: str, amount: str = "-12,500.50") -> tuple[str, ...]:
    return ("forecast", "add-item", "acme", "--on", _LATER, "--amount", amount, "--label", "new van", *_WHY, *more)


def test_a_known_item_is_recorded_listed_and_withdrawn(command: Command) -> None:
    assert "-12,500.50" in command.done(*_add())
    listed = command.done("forecast", "items", "acme")
    assert all(text in listed for text in ("item-1", "new van", "-12,500.50", "ann", "said so"))
    (item,) = command.json("forecast", "items", "acme")["items"]
    assert (item["amount_cents"], item["day"], item["author"]) == (-1_250_050, _LATER, "ann")
    command.done("forecast", "remove-item", "acme", "item-1", *_WHY)
    assert "Nothing recorded" in command.done("forecast", "items", "acme")


def test_brackets_in_what_people_type_are_text(command: Command) -> None:
    command.done("forecast", "add-item", "acme", "--on", _LATER, "--amount", "1", "--label", "[/x] [red]van", *_WHY)
    assert "[/x] [red]van" in command.done("forecast", "items", "acme")


def test_the_author_is_who_runs_the_command_unless_another_is_named(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "carla")
    arguments = [one for one in _add() if one not in ("--by", "ann")]
    assert command.json(*arguments)["entry"]["author"] == "carla"


def test_a_reserves_target_is_recorded_listed_and_withdrawn(command: Command) -> None:
    command.done("reserves", "set", "acme", "tax-q4", "--kind", "tax", "--amount", "9000", "--until", _LATER, *_WHY)
    command.done("reserves", "set", "acme", "rainy-day", "--kind", "emergency", "--months", "1.5", *_WHY)
    command.done("reserves", "set", "acme", "sales-tax", "--kind", "tax", "--share", "8.25", *_WHY)
    listed = command.done("reserves", "list", "acme")
    assert all(text in listed for text in ("9,000.00", "1.50 months of burn", "8.25 % of the receipts", _LATER))
    found = {one["reserve_id"]: one for one in command.json("reserves", "list", "acme")}
    assert found["sales-tax"]["basis_points"] == 825
    assert found["rainy-day"]["month_hundredths"] == 150
    command.done("reserves", "remove", "acme", "sales-tax", *_WHY)
    assert len(command.json("reserves", "list", "acme")) == 2


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(_add("--dry-run"), id="item"),
        pytest.param(
            ("reserves", "set", "acme", "tax-q4", "--kind", "tax", "--amount", "9000", "--dry-run", *_WHY), id="reserve"
        ),
    ],
)
def test_a_dry_run_says_what_it_would_record_and_leaves_no_trace(command: Command, arguments: tuple[str, ...]) -> None:
    assert "Nothing was recorded" in command.done(*arguments)
    assert command.json(*arguments)["recorded"] is False
    assert command.json("forecast", "items", "acme") == {"items": [], "overrides": []}
    assert command.json("reserves", "list", "acme") == []


_MISTAKES: list[tuple[tuple[str, ...], str, str]] = [
    (_add(amount="lots"), "is no number: write it as 1250.00", "no number"),
    (_add(amount="1.005"), "more than two decimals", "fractions of a cent"),
    (_add("--expires", "soon"), "is no day: write it as", "no day"),
    (_add("--expires", _SOONER), "lies after today", "expired"),
    (_add("--dry-run", amount="0"), "says nothing", "a dry run refuses too"),
    (("forecast", "remove-item", "acme", "item-9", *_WHY), "runway forecast items acme", "no item"),
    (("forecast", "override", "acme", "bill-7", "--on", _LATER, *_WHY), "write bill:123", "no document"),
    (("forecast", "override", "acme", "bill:7", *_WHY), "--on DAY", "neither day nor withdrawal"),
    (("forecast", "override", "acme", "bill:7", "--on", _LATER, *_WHY), "never been read", "no books"),
    (("vendors", "tier", "acme", "7", "9", *_WHY), "is no tier", "no tier"),
    (("vendors", "tier", "acme", "7", *_WHY), "--withdraw", "neither tier nor withdrawal"),
    (("customers", "note", "acme", "4", *_WHY), "one of the three", "no note"),
    (("reserves", "set", "acme", "tax-q4", "--kind", "tax", *_WHY), "one of the three", "no target"),
    (("reserves", "set", "acme", "tax-q4", "--kind", "holiday", "--share", "5", *_WHY), "tax, payroll", "kind"),
    (("reserves", "list", "nobody"), "no tenant 'nobody'", "no tenant"),
    (("reserves", "remove", "acme", "nothing", *_WHY), "no target for reserve 'nothing'", "no target to remove"),
    (("vendors", "tier", "acme", "999", "--withdraw", *_WHY), "No tier was set for vendor 999", "no tier to withdraw"),
    (("forecast", "override", "acme", "bill:999", "--withdraw", *_WHY), "no date for Bill 999", "no day to withdraw"),
]


def test_a_mistake_is_answered_with_what_is_possible(command: Command) -> None:
    """In one test: each needs an installation, which takes longer than the command."""
    for arguments, says, mistake in _MISTAKES:
        assert says in command.refused(*arguments), mistake
        if arguments[1] != "list":
            assert says in command.refused(*arguments, "--dry-run"), f"{mistake}, tried"


def test_dates_tiers_and_notes_are_about_what_the_kept_books_hold(
    command_with_books: Command, installation: Installation
) -> None:
    command = command_with_books
    (owed, *_) = command.json("vendors", "list", "acme")
    assert "is in tier 1" in command.done("vendors", "tier", "acme", owed["vendor_id"], "1", *_WHY)
    assert owed["name"] in command.done("vendors", "list", "acme")
    assert command.json("vendors", "list", "acme")[0]["tier"]["tier"] == 1
    command.done("vendors", "tier", "acme", owed["vendor_id"], "--withdraw", *_WHY)
    assert command.json("vendors", "list", "acme")[0]["tier"] is None
    assert "runway vendors list acme" in command.refused("vendors", "tier", "acme", "999999", "1", *_WHY)
    assert "no Bill with the id '999999'" in command.refused(
        "forecast", "override", "acme", "bill:999999", "--on", _LATER, *_WHY
    )
    _date_and_dispute(command, installation)


def _date_and_dispute(command: Command, installation: Installation) -> None:
    invoice, settled = _invoices(installation)
    assert "is expected on" in command.done(
        "forecast", "override", "acme", f"invoice:{invoice['id']}", "--on", _LATER, *_WHY
    )
    assert "settled" in command.refused(
        "forecast", "override", "acme", f"invoice:{settled['id']}", "--on", _LATER, *_WHY
    )
    listed = command.json("forecast", "documents", "acme", "--containing", invoice["name"])
    assert f"invoice:{invoice['id']}" in {one["document"] for one in listed}
    assert all(invoice["name"] in one["party_name"] for one in listed)
    assert invoice["customer"] in {one["customer_id"] for one in command.json("customers", "list", "acme")}
    assert invoice["name"] in command.done("customers", "list", "acme")
    assert invoice["name"] in command.done("forecast", "documents", "acme")
    (date,) = command.json("forecast", "items", "acme")["overrides"]
    assert (date["txn_id"], date["expected_on"]) == (invoice["id"], _LATER)
    command.done("customers", "note", "acme", invoice["customer"], "--disputed", invoice["id"], *_WHY)
    command.done("customers", "note", "acme", invoice["customer"], "--contacted", _SOONER, *_WHY)
    noted = command.done("customers", "notes", "acme")
    assert f"disputes invoice {invoice['id']}" in noted
    assert f"contacted on {_SOONER}" in noted
    assert "belongs to customer" in command.refused(
        "customers", "note", "acme", settled["customer"], "--disputed", invoice["id"], *_WHY
    )
    settle = ("customers", "note", "acme", invoice["customer"], "--not-disputed", invoice["id"], *_WHY)
    assert "no longer disputes" in command.done(*settle, "--dry-run")
    command.done(*settle)
    for dry in ((), ("--dry-run",)):
        assert "is not disputed" in command.refused(*settle, *dry)
    assert [one["kind"] for one in command.json("customers", "notes", "acme")] == ["contacted"]
    command.done("forecast", "override", "acme", f"invoice:{invoice['id']}", "--withdraw", *_WHY)
    assert command.json("forecast", "items", "acme")["overrides"] == []


def _invoices(installation: Installation) -> tuple[dict[str, str], dict[str, str]]:
    """An open invoice, and a settled one of another customer."""
    found = objects_in_books(installation, tenant_id("acme"), entity="Invoice").values()
    told = [
        ({"id": one.id, "customer": one.customer_ref.value, "name": one.customer_ref.name or ""}, one.balance)
        for one in found
        if isinstance(one, Invoice)
    ]
    invoice = next(one for one, balance in told if balance > 0)
    return invoice, next(one for one, left in told if left == 0 and one["customer"] != invoice["customer"])


@pytest.mark.parametrize(
    ("text", "hundredths"), [("12", 1200), ("-0.05", -5), ("1,250.50", 125_050), ("-1,234,567", -123_456_700)]
)
def test_amounts_are_whole_cents(text: str, hundredths: int) -> None:
    assert parse_hundredths(text, option="--amount") == hundredths


@pytest.mark.parametrize("text", ["12,50", "1.250,00", "1,2,3", ",5", "1250,", "12,5000"])
def test_a_comma_that_separates_no_thousands_is_refused_and_never_read_away(text: str) -> None:
    with pytest.raises(EntryRefused, match=r"commas separate thousands only\. Write it as 1250\.00"):
        parse_hundredths(text, option="--amount")


def test_an_amount_without_end_is_none() -> None:
    with pytest.raises(EntryRefused):
        parse_hundredths("Infinity", option="--amount")
