"""A company lives on for weeks: calculated again, every week is what it was when it was new, and a test drive tells them so.

Whoever connects later finds the same figures, as far as nothing they depend on was edited or deleted meanwhile.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import httpx
import pandas as pd
import pyarrow as pa
import pytest

from assets.books import POSITIONS
from assets.calculators import CALCULATORS
from assets.desk import Desk
from assets.known_payments import known_payments
from assets.priorities import PRIORITIES
from assets.test_drive import drive_of
from experiences.digest.document import DigestDocument
from experiences.digest.render import render_text as digest_text
from experiences.digest.wording import money_exact
from experiences.test_drive.document import DAY, DriveDocument, FlaggedDocument
from payments.cash.reserves import allocate, open_reserve
from resources.errors import TenantNotReady
from runway_calcs.books.cash import CashPosition
from tests.assets.left_alone import Key, Sight, assert_same_figures_of_what_was_left_alone
from tests.assets.office import Office
from tests.assets.stepped_company import (
    CHANGES,
    CONNECTED,
    ENTRIES,
    TENANT,
    WEEK,
    Seen,
    State,
    SteppedCompany,
    stepped_company,
)
from tests.experiences.parsed import parse

RESERVED_CENTS = 300_00
"""Put by for taxes after the first Friday's books were read ..."""
TAXES_BEFORE = timedelta(days=2)
"""... which are paid so long before the third Friday."""
SUPPLIES_CENTS = 77_70
"""Paid on the second Friday, after its books were read."""
_TABLES = len(POSITIONS) + len(CALCULATORS) + len(PRIORITIES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """Three weeks of a company, told when they were new and again when more was known."""

    live: Seen
    newcomer: Seen
    """Connected a week after the first Friday; nothing was edited or deleted in that week."""
    fridays: list[date]
    then: dict[date, State]
    again: dict[date, State]
    rebuilt: State
    """The first Friday for the newcomer, on the day of its connection ..."""
    rebuilt_again: State
    """... and a week of edits and deletions later."""
    first_digest: DigestDocument
    rebuilt_digest: DigestDocument
    cash: dict[date, int]
    """What the sandbox says of each day since the first Friday, on the first Friday after it."""
    a_week_sooner: DriveDocument
    """The drive from the second Friday; `drive` is from the third."""
    drive: dg.ExecuteInProcessResult
    drive_then: str
    drive_again: str


@pytest.fixture(scope="module")
def replay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replay]:
    """The assets' own work on real desks; the long tests have Dagster call it."""
    with stepped_company(tmp_path_factory.mktemp("stepped"), seed=3) as company:
        live = company.live
        office = Office(live.installation, company.clock, tenant=TENANT)
        then = _calculated(live, [CONNECTED], sync=office.read_books)
        # What is decided on the Friday's own morning, after its books were read, is none of that Friday's.
        office.hire(firm_id="oak")
        decided = _decide(office, on=company.today)
        company.let_a_week_pass(deeds=ENTRIES)
        then |= _calculated(live, [company.today], sync=office.read_books)
        with live.desk(company.today) as desk:
            held = {one.bill_id for one in known_payments(desk).holds}
        # What the company itself has paid meanwhile is superseded.
        assert held
        assert held <= decided
        cash = company.cash_of_the_week()
        with live.desk(company.today) as desk:
            a_week_sooner = drive_of(desk, weeks=1)
        newcomer = company.connected_today()
        rebuilt = _calculated(newcomer, [CONNECTED], sync=newcomer.sync)[CONNECTED]
        rebuilt_digest = newcomer.digest(CONNECTED)
        done = company.let_a_week_pass(deeds=(*CHANGES, *ENTRIES, *CHANGES))
        assert set(CHANGES) <= set(done), done
        # An instalment that is more than a reserve holds for it.
        _pay(live, "Estimated Taxes", RESERVED_CENTS + 25_00, on=company.today - TAXES_BEFORE)
        _pay(live, "Office Supplies", SUPPLIES_CENTS, on=company.today - WEEK)
        then |= _calculated(live, [company.today], sync=office.read_books)
        cash |= company.cash_of_the_week()
        first_digest = live.digest(CONNECTED)
        drive = live.drive(company.today, weeks=2)
        drive_then = live.document("test_drive", company.today).body
        live.forget()
        again = _calculated(live, list(then))
        live.drive(company.today, weeks=2)
        yield Replay(
            live=live,
            newcomer=newcomer,
            fridays=list(then),
            then=then,
            again=again,
            rebuilt=rebuilt,
            rebuilt_again=_calculated(newcomer, [CONNECTED], sync=newcomer.sync)[CONNECTED],
            first_digest=first_digest,
            rebuilt_digest=rebuilt_digest,
            cash=cash,
            a_week_sooner=a_week_sooner,
            drive=drive,
            drive_then=drive_then,
            drive_again=live.document("test_drive", company.today).body,
        )


def _decide(office: Office, *, on: date) -> set[str]:
    """Pay a bill now, schedule a part of another for the week after next and stage a third; the first two."""
    # Those due last: hardly one of them is paid in the books meanwhile.
    dated = [(one.due_date, one.bill_id, one) for one in office.books.bills if one.due_date is not None]
    *_, staged, later, now = [one for _, _, one in sorted(dated, key=lambda one: one[:2])]
    for bill in (now, later, staged):
        office.stage(bill.bill_id)
    office.pay_now(now.bill_id)
    kept: dict[str, Any] = {"by": "oli", "reserve_id": _open_reserve(office), "amount_cents": RESERVED_CENTS}
    allocate(office.ledger, TENANT, request_key=office.key(), reason="quarter", **kept)
    office.schedule(later.bill_id, on=on + 2 * WEEK, amount_cents=later.open_cents - 1)
    return {now.bill_id, later.bill_id}


def _open_reserve(office: Office) -> str:
    where = {"account_id": office.account_id, "vendor_ids": []}
    return open_reserve(office.ledger, TENANT, by="oli", kind="tax", name="Taxes", **where)


def _pay(live: Seen, what: str, cents: int, *, on: date) -> None:
    """Somebody pays an expense from the bank, and it is entered now."""
    access = live.installation.token_keeper.access_token(TENANT)
    headers = {"Authorization": f"Bearer {access.access_token.reveal()}", "Accept": "application/json"}
    company = f"{live.installation.settings.qbo_local_url}/v3/company/{access.realm_id}"

    def account(where: str) -> dict[str, str]:
        query = {"query": f"select * from Account where {where} maxresults 1"}  # noqa: S608 - two conditions of ours
        found = httpx.get(f"{company}/query", params=query, headers=headers, trust_env=False).raise_for_status().json()
        return {"value": found["QueryResponse"]["Account"][0]["Id"]}

    line = {
        "Amount": cents / 100,
        "DetailType": "AccountBasedExpenseLineDetail",
        "AccountBasedExpenseLineDetail": {"AccountRef": account(f"Name = '{what}'")},
    }
    body = {"PaymentType": "Check", "AccountRef": account("AccountType = 'Bank'"), "TxnDate": str(on), "Line": [line]}
    httpx.post(f"{company}/purchase", json=body, headers=headers, trust_env=False).raise_for_status()


def _calculated(seen: Seen, fridays: list[date], *, sync: Callable[[], None] | None = None) -> dict[date, State]:
    if sync is not None:
        sync()
    for friday in fridays:
        seen.calculate(friday)
    return {friday: seen.told(friday) for friday in fridays}


# One worker makes the weeks once for all tests of this module.
together = pytest.mark.xdist_group("replay")


def _assert_same(then: State, now: State, *, week: date) -> None:
    assert len(then) > _TABLES, week
    assert now.keys() == then.keys(), week
    assert [name for name in then if now[name] != then[name]] == [], week


@together
def test_every_week_calculated_again_is_what_it_was_then(replay: Replay) -> None:
    assert len({state["books/documents"] for state in replay.then.values()}) == len(replay.fridays)
    for week, then in replay.then.items():
        _assert_same(then, replay.again[week], week=week)


@together
def test_a_week_before_the_connection_stays_whatever_is_entered_edited_and_deleted_later(replay: Replay) -> None:
    _assert_same(replay.rebuilt, replay.rebuilt_again, week=CONNECTED)


@together
def test_connected_later_a_week_has_the_figures_that_it_had_live_and_is_marked(replay: Replay) -> None:
    _assert_same_figures(replay.first_digest, replay.rebuilt_digest)


def _assert_same_figures(live: DigestDocument, rebuilt: DigestDocument) -> None:
    """Everything but the marks, the hit rate, which counts weeks that had a forecast of their own day, and payments."""
    assert rebuilt.basis == "reconstructed"
    assert "Rebuilt from books connected on" in digest_text(rebuilt)
    assert "Rebuilt" not in digest_text(live)
    marked = replace(
        rebuilt,
        basis=live.basis,
        connected_on=live.connected_on,
        data_as_of=live.data_as_of,
        books_age_days=live.books_age_days,
        last_forecast=replace(
            rebuilt.last_forecast,
            inside_count=live.last_forecast.inside_count,
            scored_count=live.last_forecast.scored_count,
        ),
        # A ledger that was not there that Friday knows nothing of it.
        workflow=live.workflow,
    )
    assert marked == live


@together
def test_a_test_drive_of_weeks_made_again_is_the_one_of_the_weeks_as_they_were(replay: Replay) -> None:
    assert replay.drive.success
    assert replay.drive_again == replay.drive_then


@together
def test_a_test_drive_flags_what_the_digests_said_and_tells_what_the_next_ones_found(replay: Replay) -> None:
    live, (_, second, today) = replay.live, replay.fridays
    drive = live.driven(today)
    _assert_one_story(live, drive, cash=replay.cash)
    page = parse(live.document("test_drive", today).html).text
    # What the reserve of the second Friday held was given free as taxes were paid.
    assert [week.runway.reserved_cents for week in drive.weeks] == [0, RESERVED_CENTS]
    for week in drive.weeks:
        assert week.subject in page
    # What was paid on the second Friday came after its books were read: its digest does not know it, the drive does.
    at_five, at_night = live.digest(second).cash.cash_cents, replay.cash[second]
    assert at_five is not None
    assert at_night != at_five
    assert money_exact(at_night, currency=drive.currency) in page
    assert money_exact(at_five, currency=drive.currency) not in page


def _assert_one_story(seen: Seen, drive: DriveDocument, *, cash: Mapping[date, int]) -> None:
    """What a drive says of a week is what the digests, trays and tables of that week and the next ones say.

    `cash` is the sandbox's of each day since the first week, on the first Friday after it.
    """
    assert [[one.last_day for one in week.closings if one.has_come] for week in drive.weeks] == [
        [later.week_ending for later in drive.weeks[number:]] for number in range(1, len(drive.weeks) + 1)
    ]
    for week in drive.weeks:
        digest = seen.digest(week.week_ending)
        assert (week.runway, week.cash_cents, week.basis) == (digest.runway, digest.cash.cash_cents, digest.basis)
        assert week.subject == seen.document("friday_digest", week.week_ending).title
        assert (week.bills.count, week.to_fix.count) == (
            digest.money_out.overdue.count + digest.money_out.due.count,
            digest.data_to_fix.defects.count,
        )
        assert week.bills.amount_cents == digest.money_out.overdue.total_cents + digest.money_out.due.total_cents
        for closing, told in zip(week.closings, digest.weeks, strict=True):
            assert (closing.p10_cents, closing.p90_cents) == (told.p10_cents, told.p90_cents)
            if closing.has_come:
                # Nothing was held, or what was held has been given free meanwhile.
                assert closing.actual_cents == cash[closing.last_day]
        # The next digest judges the same forecast by the same books, up to the last day that they know whole.
        scored = seen.digest(week.week_ending + WEEK).last_forecast
        assert scored.last_as_of == week.week_ending
        assert scored.closing is not None
        assert scored.closing.actual_cents == cash[week.week_ending + WEEK - DAY]


@together
def test_a_test_drive_made_a_week_later_flags_the_same_and_knows_more(replay: Replay) -> None:
    (sooner,), (later, _) = replay.a_week_sooner.weeks, replay.live.driven(replay.fridays[-1]).weeks
    assert (later.runway, later.subject, later.cash_cents) == (sooner.runway, sooner.subject, sooner.cash_cents)
    assert [(one.p10_cents, one.p90_cents) for one in later.closings] == [
        (one.p10_cents, one.p90_cents) for one in sooner.closings
    ]
    assert [closing.has_come for closing in sooner.closings[:3]] == [False, False, False]
    assert [closing.has_come for closing in later.closings[:3]] == [True, False, False]
    assert sooner.since.low_cents is not None
    assert later.since.low_cents is not None
    assert later.since.low_cents <= sooner.since.low_cents
    for one, other in ((sooner.late, later.late), (sooner.bills, later.bills)):
        assert [_flagged(row) for row in one.rows] == [_flagged(row) for row in other.rows]
        assert (one.count, one.amount_cents) == (other.count, other.amount_cents)
    assert [entry.label for entry in sooner.to_fix.rows] == [entry.label for entry in later.to_fix.rows]


def _flagged(row: FlaggedDocument) -> tuple[str, str, int]:
    return (row.party, row.doc_number, row.amount_cents)


@together
def test_the_lowest_balance_since_and_the_first_below_the_floor_are_those_of_the_journal(replay: Replay) -> None:
    _, second, third = replay.fridays
    sooner, later = replay.a_week_sooner.weeks, replay.live.driven(third).weeks
    for week, until in [*((one, second - DAY) for one in sooner), *((one, third - DAY) for one in later)]:
        kept, taxes_paid_on = week.runway.reserved_cents, third - TAXES_BEFORE
        since = {
            day: cents - (kept if day < taxes_paid_on else 0)
            for day, cents in replay.cash.items()
            if week.week_ending < day <= until
        }
        assert week.since.until == max(since) == until
        floor = week.runway.floor_cents
        assert floor is not None
        assert week.since.low_cents == min(since.values())
        assert week.since.low_on == min(day for day, cents in since.items() if cents == week.since.low_cents)
        assert week.since.below_on == min((day for day, cents in since.items() if cents < floor), default=None)
        assert week.since.is_whole


@together
def test_what_the_ui_shows_of_a_test_drive_is_no_markup(replay: Replay) -> None:
    (made,) = replay.drive.asset_materializations_for_node("test_drive_document")
    shown = made.metadata["preview"]
    assert isinstance(shown, dg.MarkdownMetadataValue)
    assert shown.md_str is not None
    assert all(line.startswith("    ") for line in shown.md_str.splitlines())
    assert made.metadata["weeks"].value == 2
    page = made.metadata["html"].value
    assert isinstance(page, str)
    links = re.findall(r'href="([^"]+)"', Path(page).read_text(encoding="utf-8"))
    assert len(links) == 2
    assert all((Path(page).parent / link).is_file() for link in links)


@together
def test_a_test_drive_without_its_weeks_says_which_and_how_they_are_made(replay: Replay) -> None:
    failed = replay.live.drive(replay.fridays[-1], weeks=4)
    assert not failed.success
    why = replay.live.firm.failure(failed)
    missing = ", ".join((CONNECTED - back * WEEK).isoformat() for back in (2, 1))
    assert missing in why
    assert f"runway test-drive {TENANT} --weeks 4" in why


@together
def test_a_week_that_another_version_of_the_program_stored_is_named_with_how_it_is_made_anew(replay: Replay) -> None:
    newcomer, earlier = replay.newcomer, CONNECTED - WEEK
    store = newcomer.installation.store
    week = store.newest_week(newcomer.installation.registry.tenant(TENANT), as_of=earlier)
    for kind in ("friday_digest", "tray"):
        document = newcomer.document(kind, CONNECTED)
        newcomer.installation.documents.publish(replace(document, key=earlier.isoformat()))
    with newcomer.desk(CONNECTED) as desk:
        with pytest.raises(TenantNotReady, match=f"{earlier} was not calculated.*--again"):
            drive_of(desk, weeks=1)
        store.put(week, "priority/collections", pa.table({"tenant_id": [TENANT], "result": ['{"side": "unknown"}']}))
        with pytest.raises(TenantNotReady, match=f"{earlier} was stored by another version.*--again"):
            drive_of(desk, weeks=1)


_PAST_WEEKS = 2
"""So many weeks before the connection are calculated as well: their edits and deletions come after it."""
_WEEKS = 12


def _lived(company: SteppedCompany, *, deeds: tuple[str, ...]) -> tuple[dict[date, State], dict[date, int]]:
    """Twelve weeks run by the jobs, each on its Friday; and the cash of their days by the sandbox's journal."""
    live, cash = company.live, dict[date, int]()
    live.firm.succeed("tenant_sync", TENANT)
    told = _run([CONNECTED - back * WEEK for back in range(_PAST_WEEKS, -1, -1)], seen=live)
    for _ in range(_WEEKS):
        company.let_a_week_pass(deeds=deeds)
        live.firm.succeed("tenant_sync", TENANT)
        told |= _run([company.today], seen=live)
        cash |= company.cash_of_the_week()
    return told, cash


def _run(fridays: list[date], *, seen: Seen) -> dict[date, State]:
    for friday in fridays:
        seen.firm.succeed("friday", TENANT, week_ending=friday)
    return {friday: seen.told(friday) for friday in fridays}


@pytest.mark.long
@pytest.mark.timeout(2_400)
@pytest.mark.parametrize("seed", [11])
def test_twelve_weeks_run_again_and_driven_again_are_what_they_were_then(tmp_path: Path, seed: int) -> None:
    print(f"seed {seed}")  # noqa: T201 - a long run prints its seeds
    with stepped_company(tmp_path, seed=seed) as company:
        live, (told, cash) = company.live, _lived(company, deeds=())
        assert live.drive(company.today, weeks=_WEEKS).success
        driven = live.document("test_drive", company.today)
        _assert_one_story(live, live.driven(company.today), cash=cash)

        live.forget()
        for week, now in _run(list(told), seen=live).items():
            _assert_same(told[week], now, week=week)
        assert live.drive(company.today, weeks=_WEEKS).success
        assert live.document("test_drive", company.today) == driven

        newcomer, left_alone, compared = company.connected_today(), 0, Counter[str]()
        for back in range(_WEEKS, 0, -1):
            week = company.today - back * WEEK
            newcomer.calculate(week)
            assert newcomer.digest(week).basis == "reconstructed"
            with live.desk(company.today) as now, live.desk(week) as then, newcomer.desk(week) as rebuilt:
                left_alone += _assert_same_where_nothing_was_changed(then, rebuilt, now=now)
                compared += assert_same_figures_of_what_was_left_alone(
                    Sight(desk=then, digest=live.digest(week)),
                    Sight(desk=rebuilt, digest=newcomer.digest(week)),
                    changed=_changed_since(then, now=now),
                    parties=_changed_parties(then, now=now),
                )
        print(f"seed {seed}: {left_alone} documents left alone, compared {dict(compared)}")  # noqa: T201 - a long run says what it did
        assert left_alone > _WEEKS, "most documents of the newer weeks were left alone"
        assert compared["documents"] > 0, compared
        assert compared["defects"] > _WEEKS, compared
        newcomer.calculate(company.today)
        assert newcomer.drive(company.today, weeks=_WEEKS).success
        assert newcomer.driven(company.today).reconstructed_count == _WEEKS


@pytest.mark.long
@pytest.mark.timeout(2_400)
@pytest.mark.parametrize("seed", [12])
def test_twelve_weeks_without_an_edit_are_rebuilt_to_every_figure_for_who_is_connected_today(
    tmp_path: Path, seed: int
) -> None:
    print(f"seed {seed}")  # noqa: T201 - a long run prints its seeds
    with stepped_company(tmp_path, seed=seed) as company:
        live, cash = company.live, dict[date, int]()
        for number in range(_WEEKS + 1):
            if number:
                company.let_a_week_pass(deeds=ENTRIES * 2)
                cash |= company.cash_of_the_week()
            live.sync()
            live.calculate(company.today)
        newcomer = company.connected_today()
        for number in range(_WEEKS):
            week = CONNECTED + number * WEEK
            newcomer.calculate(week)
            _assert_same_figures(live.digest(week), newcomer.digest(week))
        newcomer.calculate(company.today)
        for seen in (live, newcomer):
            assert seen.drive(company.today, weeks=_WEEKS).success
        _assert_one_story(newcomer, newcomer.driven(company.today), cash=cash)
        _assert_same_drive(live.driven(company.today), newcomer.driven(company.today))


def _assert_same_drive(live: DriveDocument, rebuilt: DriveDocument) -> None:
    assert (live.reconstructed_count, rebuilt.reconstructed_count) == (0, _WEEKS)
    assert live.weeks == tuple(replace(week, basis="current") for week in rebuilt.weeks)


def _assert_same_where_nothing_was_changed(then: Desk, rebuilt: Desk, *, now: Desk) -> int:
    """Open documents and cash of a week as they were told live and as they are rebuilt, but for what was changed since.

    How many open documents were not changed.
    """
    changed = _changed_since(then, now=now)
    parties = _changed_parties(then, now=now)
    left_alone = 0
    for table in ("books/open_bills", "books/open_invoices"):
        one, other = (_unchanged(desk.frame(table), changed=changed, parties=parties) for desk in (then, rebuilt))
        pd.testing.assert_frame_equal(one, other)
        left_alone += len(one)
    cash, cash_rebuilt = (desk.result("books/cash_position", CashPosition) for desk in (then, rebuilt))
    assert cash.account_ids == cash_rebuilt.account_ids
    assert cash.cash_cents is not None
    assert cash_rebuilt.cash_cents is not None
    moved, moved_rebuilt = (_moved_by(desk, changed=changed, position=cash) for desk in (then, rebuilt))
    assert cash.cash_cents - cash_rebuilt.cash_cents == moved - moved_rebuilt
    return left_alone


_CONTENT = {
    "books/documents": ["party_id", "doc_number", "txn_date", "due_date", "term_id", "currency", "total_cents"],
    "books/postings": ["txn_date", "account_id", "amount_cents", "party_id"],
    "books/applications": ["target_type", "target_id", "amount_cents"],
}


def _changed_since(then: Desk, *, now: Desk) -> set[Key]:
    """Transactions known then that were edited or deleted by now, by the versions kept; and those they settle or are settled by."""
    until = pd.Timestamp(then.week.known_until)
    changed: set[Key] = set()
    for table, columns in _CONTENT.items():
        frame = now.frame(table)
        known = frame[frame["created_at"] <= until]
        read_again = known.groupby(["txn_type", "qbo_id"])["known_at"].transform("max") > until
        for key, versions in known[read_again].groupby(["txn_type", "qbo_id"]):
            texts = {
                version[columns].sort_values(columns).to_csv(index=False)
                for at, version in versions.groupby("known_at")
                if at > until or at == versions["known_at"][versions["known_at"] <= until].max()
            }
            if len(texts) > 1 or versions["is_deleted"].any():
                changed.add((str(key[0]), str(key[1])))
    applied = now.frame("books/applications")
    payments = list(zip(applied["txn_type"], applied["qbo_id"], strict=True))
    targets = list(zip(applied["target_type"], applied["target_id"], strict=True))
    for payment, target in zip(payments, targets, strict=True):
        if payment in changed or target in changed:
            changed |= {payment, target}
    return changed


def _changed_parties(then: Desk, *, now: Desk) -> set[str]:
    """Vendors and customers that were renamed, merged or taken out of use."""
    until = pd.Timestamp(then.week.known_until)
    frame = now.frame("books/parties")
    known = frame[frame["created_at"] <= until]
    names = known.groupby("qbo_id")[["display_name", "is_active", "is_deleted"]].nunique()
    return {str(one) for one in names[(names > 1).any(axis=1)].index}


def _unchanged(items: pd.DataFrame, *, changed: set[Key], parties: set[str]) -> pd.DataFrame:
    keys = pd.Series(list(zip(items["txn_type"], items["qbo_id"], strict=True)), index=items.index, dtype="object")
    return items[~keys.isin(changed) & ~items["party_id"].isin(parties)].reset_index(drop=True)


def _moved_by(desk: Desk, *, changed: set[Key], position: CashPosition) -> int:
    """What the changed transactions did to the cash by the end of the week, as this desk knew them."""
    moved = desk.frame("books/cash_movements")
    keys = pd.Series(list(zip(moved["txn_type"], moved["txn_id"], strict=True)), index=moved.index, dtype="object")
    inside = keys.isin(changed) & (moved["date"] <= pd.Timestamp(position.as_of))
    return int(moved.loc[inside, "amount_cents"].sum())
