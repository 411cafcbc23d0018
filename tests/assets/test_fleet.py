"""The portfolio: every tenant of a firm once, whatever became of it, from one file that is swapped in whole."""

import multiprocessing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from assets.experiences import PREVIEW_CHARACTERS, preview
from assets.fleet import FLEET_ASSETS
from assets.fleet_file import read_fleet, write_fleet
from assets.mailing import EXCEPTIONS_KIND
from assets.partitions import TENANTS
from experiences.digest.document import to_json
from experiences.portfolio.document import from_json
from experiences.portfolio.overview import Reason, Standing, TenantOverview, by_attention
from experiences.portfolio.render import portfolio_text
from experiences.tray.document import to_json as tray_to_json
from payments.controls.alarms import raise_alarm
from payments.store.ledger import Ledger
from payments.store.tables import ALARM
from resources.clock import FixedClock
from resources.documents import Document
from resources.installation import Installation
from resources.mail.outbox_rows import MailContent, OutboxRow, RowKey, where_row
from resources.mail.tables import of_firm, of_tenant, tables_of
from resources.tenants import tenant_id
from runway_calcs.forecast.figures import RunwayState
from runway_calcs.hygiene.defects import Effect, EffectState, Severity
from runway_calcs.policy import AttentionPolicy
from tests.conftest import FRIDAY
from tests.experiences.builders import make_digest
from tests.experiences.portfolio_builders import make_overview, make_portfolio
from tests.experiences.priority_builders import make_defect
from tests.experiences.test_tray import make_tray
from tests.firm import dagster_instance

_WEEK = FRIDAY.isoformat()


def _publish(installation: Installation, tenant: str, *, body: str, key: str = _WEEK) -> None:
    document = Document(
        tenant_id=tenant_id(tenant),
        kind="friday_digest",
        key=key,
        title="",
        body=body,
        html="",
        text="",
        data_as_of=datetime(2026, 11, 20, 10, 0, tzinfo=UTC),
    )
    installation.documents.publish(document)


def _materialize(installation: Installation, home: Path) -> None:
    with dagster_instance(home) as instance:
        instance.add_dynamic_partitions(str(TENANTS.name), ["acme"])
        result = dg.materialize(list(FLEET_ASSETS), instance=instance, resources={"installation": installation})
    assert result.success


@pytest.fixture
def firms(bare_installation: Installation) -> Installation:
    registry = bare_installation.registry
    registry.add_firm("oak", name="Oak <b>& Partners")
    registry.add_firm("elm", name="Elm")
    for tenant, firm in (("acme", "oak"), ("bolt", "oak"), ("cork", "oak"), ("dune", "elm")):
        registry.add_tenant(tenant, firm_id=firm, name=f"{tenant} <script>", zone="America/New_York")
    return bare_installation


def test_a_tenant_without_figures_is_a_row_that_says_so_and_stops_nobody(firms: Installation, tmp_path: Path) -> None:
    _publish(firms, "acme", body=to_json(make_digest()))
    _publish(firms, "bolt", body="{}")
    _publish(firms, "cork", body=to_json(make_digest()), key=(FRIDAY - timedelta(weeks=2)).isoformat())
    _materialize(firms, tmp_path / "dagster")
    rows = {row.tenant_id: row for row in read_fleet(firms.settings.fleet_file, firm_id="oak")}
    assert {one: row.standing for one, row in rows.items()} == {
        "acme": Standing.OK,
        "bolt": Standing.UNREADABLE,
        "cork": Standing.MISSING,
    }
    assert rows["acme"].cash_cents == make_digest().cash.cash_cents
    page = (firms.settings.pages_root / "portfolios" / "oak.html").read_text()
    assert "2 clients without figures." in page
    assert "<script" not in page
    assert "<b>" not in page


def test_what_was_published_of_a_week_to_come_hides_nothing_of_the_one_that_has_come(
    firms: Installation, tmp_path: Path
) -> None:
    """As an earlier version did it on `--week-ending 2027-11-19`: digest, tray and page of a year ahead are there."""
    ahead = "2027-11-19"
    _publish(firms, "acme", body=to_json(make_digest()))
    _publish(firms, "acme", body=to_json(replace(make_digest(), week_ending=date.fromisoformat(ahead))), key=ahead)
    folder = firms.settings.digests_root / "acme"
    folder.mkdir(parents=True)
    for week in (_WEEK, ahead):
        (folder / f"{week}.html").write_text("")
    _materialize(firms, tmp_path / "dagster")
    (row,) = [one for one in read_fleet(firms.settings.fleet_file, firm_id="oak") if one.tenant_id == "acme"]
    assert (row.standing, row.week_ending, row.is_behind) == (Standing.OK, FRIDAY, False)
    for page in ("portfolios/oak.html", "index.html"):
        shown = (firms.settings.pages_root / page).read_text()
        assert f"digests/acme/{_WEEK}.html" in shown
        assert ahead not in shown


def test_a_firm_sees_its_own_clients_and_nobody_elses(firms: Installation, tmp_path: Path) -> None:
    _publish(firms, "acme", body=to_json(make_digest()))
    _publish(firms, "dune", body=to_json(make_digest()))
    _materialize(firms, tmp_path / "dagster")
    for firm, own in (("oak", {"acme", "bolt", "cork"}), ("elm", {"dune"})):
        for kind in ("portfolio", EXCEPTIONS_KIND):
            document = firms.documents.read_for_firm(firm, kind=kind, key=_WEEK)
            assert document is not None
            assert {row.tenant_id for row in from_json(document.body).rows} == own
        page = (firms.settings.pages_root / "portfolios" / f"{firm}.html").read_text()
        assert {one for one in ("acme", "bolt", "cork", "dune") if f"{one} &lt;script&gt;" in page} == own


def test_the_firms_mail_names_exceptions_only(firms: Installation, tmp_path: Path) -> None:
    _publish(firms, "acme", body=to_json(make_digest()))
    _materialize(firms, tmp_path / "dagster")
    mail = firms.documents.read_for_firm("oak", kind=EXCEPTIONS_KIND, key=_WEEK)
    assert mail is not None
    named = [row.tenant_id for row in from_json(mail.body).exceptions]
    assert [one for one in ("acme", "bolt", "cork") if f"{one} &lt;script&gt;" in mail.html] == sorted(named)


def _reader(firms: Installation, address: str = "ann@oak.example", **overrides: str) -> None:
    fields = {"zone": "America/New_York", "locale": "en-GB", "currency_format": "symbol"} | overrides
    firms.recipients.add(of_firm("oak"), address=address, name="Ann", role="firm", author="ben", **fields)


def _mails(firms: Installation) -> list[OutboxRow]:
    return firms.outbox.rows(of_firm("oak"), kind=EXCEPTIONS_KIND)


def test_the_firms_mail_is_queued_once_a_week_and_reader_with_what_was_published(
    firms: Installation, tmp_path: Path, clock: FixedClock
) -> None:
    for tenant in ("acme", "bolt", "cork"):
        _publish(firms, tenant, body=to_json(make_digest()))
    _reader(firms)
    _reader(firms, "bob@oak.example", locale="en-US", currency_format="code", zone="America/Los_Angeles")
    for run in range(2):
        _materialize(firms, tmp_path / f"dagster-{run}")
    by_reader = {row.row_key.address: row for row in _mails(firms)}
    assert {row.row_key.key for row in by_reader.values()} == {_WEEK}
    plain, american = (firms.outbox.content(by_reader[f"{one}@oak.example"]) for one in ("ann", "bob"))
    published = firms.documents.read_for_firm("oak", kind=EXCEPTIONS_KIND, key=_WEEK)
    assert published is not None
    # What differs from what was published is the hour at which books were read, in the reader's own time zone.
    assert (plain.subject, plain.text.splitlines()[:5]) == (published.title, published.text.splitlines()[:5])
    assert "Nov 20, 2026" in american.subject
    assert "$" not in american.text
    # Every tenant has its digest: each reader gets the mail on the reader's own Friday morning.
    assert by_reader["ann@oak.example"].due_at == clock.now()
    assert by_reader["bob@oak.example"].due_at == datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
    firms.recipients.unsubscribe(of_firm("oak"), "ann@oak.example")
    clock.move_to(clock.now() + timedelta(days=7))
    _materialize(firms, tmp_path / "later")
    assert {row.row_key.address for row in _mails(firms) if row.row_key.key != _WEEK} == {"bob@oak.example"}


def test_mail_to_the_firm_itself_that_may_not_have_arrived_is_told_too(firms: Installation, tmp_path: Path) -> None:
    for tenant in ("acme", "bolt", "cork"):
        _publish(firms, tenant, body=to_json(make_digest()))
    _reader(firms)
    _materialize(firms, tmp_path / "dagster")
    page = firms.settings.pages_root / "portfolios" / "oak.txt"
    assert "the firm itself" not in page.read_text()
    (mail,) = _mails(firms)
    with firms.database.write() as connection:
        connection.execute(
            tables_of(of_firm("oak"))
            .outbox.update()
            .where(*where_row(mail.row_key))
            .values(state="unknown", reason="said so", begun_at=firms.clock.now())
        )
    _materialize(firms, tmp_path / "again")
    told = " ".join(page.read_text().split())
    assert f"1 mail to the firm itself may not have arrived: {mail.row_key.resend_command} sends it once more." in told


def test_the_firms_mail_waits_for_the_digests_of_its_last_time_zone(
    firms: Installation, tmp_path: Path, clock: FixedClock
) -> None:
    """Seven in Los Angeles is fifteen in UTC; the others have their digests by then."""
    firms.registry.add_tenant("late", firm_id="oak", name="late", zone="America/Los_Angeles")
    for tenant in ("acme", "bolt", "cork"):
        _publish(firms, tenant, body=to_json(make_digest()))
    _reader(firms)
    _materialize(firms, tmp_path / "early")
    assert _mails(firms) == []
    clock.move_to(datetime(2026, 11, 20, 15, 40, tzinfo=UTC))
    _materialize(firms, tmp_path / "after")
    (waiting,) = _mails(firms)
    assert waiting.due_at == datetime(2026, 11, 20, 17, 0, tzinfo=UTC)
    assert "No digest to take figures from" in firms.outbox.content(waiting).text
    _publish(firms, "late", body=to_json(make_digest()))
    _materialize(firms, tmp_path / "again")
    (updated,) = _mails(firms)
    assert (updated.state, updated.due_at) == ("queued", waiting.due_at)
    assert "No digest to take figures from" not in firms.outbox.content(updated).text


def test_a_tenant_left_behind_is_an_exception_with_the_day_of_its_figures(firms: Installation, tmp_path: Path) -> None:
    before = replace(make_digest(), week_ending=FRIDAY - timedelta(weeks=1))
    _publish(firms, "acme", body=to_json(before), key=before.week_ending.isoformat())
    _materialize(firms, tmp_path / "dagster")
    (row,) = [one for one in read_fleet(firms.settings.fleet_file, firm_id="oak") if one.tenant_id == "acme"]
    assert row.is_behind
    page = (firms.settings.pages_root / "portfolios" / "oak.txt").read_text()
    assert "no digest of this week" in page
    assert "as of 13 Nov" in page


@dg.asset(key=["raw_qbo", "bills"], partitions_def=TENANTS)
def _raw_bills() -> None:
    """The books were read."""


@dg.asset(key=["published", "balances"], partitions_def=TENANTS, deps=[_raw_bills])
def _balances() -> None:
    raise dg.Failure("nothing could be published")


def test_a_sync_that_read_the_books_and_failed_after_it_is_an_exception(firms: Installation, tmp_path: Path) -> None:
    """The sync's last step failed each night for a fortnight, and the client stood under "Nothing stands out"."""
    _publish(firms, "acme", body=to_json(make_digest()))
    with dagster_instance(tmp_path / "dagster") as instance:
        instance.add_dynamic_partitions(str(TENANTS.name), ["acme"])
        sync = dg.materialize([_raw_bills, _balances], instance=instance, partition_key="acme", raise_on_error=False)
        assert not sync.success
        assert dg.materialize(list(FLEET_ASSETS), instance=instance, resources={"installation": firms}).success
    rows = {row.tenant_id: row for row in read_fleet(firms.settings.fleet_file, firm_id="oak")}
    assert {one: row.has_failed for one, row in rows.items()} == {"acme": True, "bolt": False, "cork": False}
    assert "a run failed" in (firms.settings.pages_root / "portfolios" / "oak.txt").read_text()


def test_a_second_run_publishes_nothing_new(firms: Installation, tmp_path: Path) -> None:
    _publish(firms, "acme", body=to_json(make_digest()))
    _materialize(firms, tmp_path / "dagster")
    before = firms.documents.read_for_firm("oak", kind="portfolio", key=_WEEK)
    _materialize(firms, tmp_path / "again")
    assert firms.documents.read_for_firm("oak", kind="portfolio", key=_WEEK) == before


def test_a_reader_of_the_old_file_is_not_disturbed_by_a_new_one(tmp_path: Path) -> None:
    file = tmp_path / "fleet.duckdb"
    write_fleet(file, [make_overview(tenant_id="acme")])
    reader = duckdb.connect(str(file), read_only=True)
    try:
        writer = multiprocessing.get_context("spawn").Process(
            target=write_fleet, args=(file, [make_overview(tenant_id="bolt")])
        )
        writer.start()
        writer.join(60)
        assert writer.exitcode == 0
        assert reader.execute("SELECT tenant_id FROM tenant_overview").fetchall() == [("acme",)]
    finally:
        reader.close()
    assert [row.tenant_id for row in read_fleet(file, firm_id="oak")] == ["bolt"]
    assert [one.name for one in tmp_path.iterdir()] == ["fleet.duckdb"]


def test_a_row_comes_back_from_the_file_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "fleet.duckdb"
    rows = (make_overview(tenant_id="acme"), make_overview(tenant_id="bolt", standing=Standing.MISSING))
    write_fleet(file, rows)
    assert read_fleet(file, firm_id="oak") == rows
    assert read_fleet(file, firm_id="elm") == ()


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "fleet.duckdb"
    write_fleet(file, [make_overview()])
    with pytest.raises(duckdb.ConstraintException):
        write_fleet(file, [make_overview(), make_overview()])
    assert [row.tenant_id for row in read_fleet(file, firm_id="oak")] == ["acme"]
    assert [one.name for one in tmp_path.iterdir()] == ["fleet.duckdb"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"days": 28}, Reason.SHORT),
        ({"cautious_days": 14, "cautious_until": date(2026, 12, 4)}, Reason.CAUTIOUS),
        ({"change_days": -7}, Reason.FALLEN),
        ({"is_stale": True}, Reason.STALE),
        ({"has_failed": True}, Reason.FAILED),
        ({"blocking_count": 1, "moving_count": 1}, Reason.BLOCKING),
        ({"mail_unknown": 1, "resend_command": "runway mail resend"}, Reason.MAIL),
        ({"mail_failed": 1, "resend_command": "runway mail resend"}, Reason.MAIL),
        ({"mail_bounced": 1, "resend_command": "runway mail resend"}, Reason.MAIL),
        ({"due": 1}, Reason.DUE),
        ({"to_review": 1}, Reason.REVIEW),
        ({"alarms": 1}, Reason.ALARM),
        ({"is_behind": True}, Reason.BEHIND),
        ({"standing": Standing.MISSING}, Reason.NO_FIGURES),
    ],
)
def test_each_exception_has_its_reason(changes: dict[str, object], reason: Reason) -> None:
    policy = AttentionPolicy()
    assert make_overview().reasons(policy) == ()
    assert make_overview(**changes).reasons(policy) == (reason,)


def test_wrong_data_that_moves_no_runway_is_told_in_the_row_and_is_no_exception() -> None:
    row = make_overview(blocking_count=3)
    assert row.reasons(AttentionPolicy()) == ()
    portfolio = make_portfolio(row)
    assert "3 known wrong" in portfolio_text(portfolio)
    assert portfolio.exceptions == ()


@pytest.mark.parametrize(
    ("days", "low_cents", "moving"),
    # The digest's low point is 2,100.00 below nothing, its floor 12,000.00.
    [(0, 0, 0), (1, 0, 1), (-1, 0, 1), (0, 100_00, 0), (0, 14_100_00, 1)],
)
def test_a_wrong_entry_moves_the_runway_by_days_or_by_the_side_of_the_floor(
    firms: Installation, tmp_path: Path, days: int, low_cents: int, moving: int
) -> None:
    digest = make_digest()
    runway = replace(digest.runway, low_cents=-2_100_00, low_p10_cents=-2_100_00, low_p90_cents=-2_100_00)
    digest = replace(digest, runway=replace(runway, floor_cents=12_000_00))
    _publish(firms, "acme", body=to_json(digest))
    effect = Effect(
        state=EffectState.VALUE, runway_days=days, is_bound=False, low_water_cents=low_cents, reason="recomputed"
    )
    wrong = make_defect(severity=Severity.BLOCKING, effect=effect)
    harmless = make_defect(
        severity=Severity.NON_BLOCKING, effect=replace(effect, runway_days=9), object_id="of no weight"
    )
    tray = make_tray([wrong, harmless])
    firms.documents.publish(
        Document(
            tenant_id=tenant_id("acme"),
            kind="tray",
            key=_WEEK,
            title="",
            body=tray_to_json(tray),
            html="",
            text="",
            data_as_of=datetime(2026, 11, 20, 10, 0, tzinfo=UTC),
        )
    )
    _materialize(firms, tmp_path / "dagster")
    (row,) = [one for one in read_fleet(firms.settings.fleet_file, firm_id="oak") if one.tenant_id == "acme"]
    assert (row.blocking_count, row.moving_count) == (1, moving)
    assert (Reason.BLOCKING in row.reasons(AttentionPolicy())) == bool(moving)


def test_payments_that_wait_for_somebody_stand_before_a_shorter_runway_of_the_same_reason() -> None:
    idle = {"to_approve": 0, "to_decide": 0}
    rows = (
        make_overview(tenant_id="long", days=80),
        make_overview(tenant_id="short", days=30, **idle),
        make_overview(tenant_id="sent", days=29, sealed=4, **idle),
        make_overview(tenant_id="alert", days=9, **idle),
    )
    assert [one.tenant_id for one in by_attention(rows, policy=AttentionPolicy())] == ["alert", "long", "sent", "short"]


def _mailed(firms: Installation, **states: str) -> dict[str, RowKey]:
    """A digest to a reader of each letter, and what became of it."""
    owner, now = of_tenant(tenant_id("acme")), firms.clock.now()
    outbox = tables_of(owner).outbox
    found = {one: RowKey(owner=owner, kind="friday_digest", key=_WEEK, address=f"{one}@acme.example") for one in states}
    for one, key in found.items():
        reader = {"address": key.address, "zone": "America/New_York", "locale": "en-GB", "currency_format": "symbol"}
        firms.recipients.add(owner, name="Ann", role="client", author="ben", **reader)
        content = MailContent(subject="s", html="h", text="t")
        firms.outbox.enqueue(key, content, due_at=now, expires_at=now + timedelta(days=1))
        sent_at = now if states[one] in ("sent", "bounced") else None
        with firms.database.write() as connection:
            connection.execute(
                outbox.update()
                .where(*where_row(key))
                .values(state=states[one], reason="said so", begun_at=now, sent_at=sent_at)
            )
    return found


def _overview_of_acme(firms: Installation) -> TenantOverview:
    return next(one for one in read_fleet(firms.settings.fleet_file, firm_id="oak") if one.tenant_id == "acme")


def test_no_mail_is_offered_to_be_sent_again_that_would_be_refused(firms: Installation, tmp_path: Path) -> None:
    """The usual reason of a failed mail is an address that does not exist: to send it once more was refused each time."""
    _publish(firms, "acme", body=to_json(make_digest()))
    keys = _mailed(firms, a="unknown", b="unknown", c="bounced", d="sent")
    owner = keys["a"].owner
    firms.recipients.remove(owner, keys["a"].address)
    firms.recipients.unsubscribe(owner, keys["b"].address)
    for one in ("c", "d"):
        firms.outbox.came_back(keys[one], reason="5.1.1 no such user", is_final=True, is_hard=True)
    _materialize(firms, tmp_path / "dagster")
    row = _overview_of_acme(firms)
    assert (row.mail_unknown, row.mail_bounced, row.resend_command, row.closed_address) == (0, 2, "", "c@acme.example")
    page = firms.settings.pages_root / "portfolios" / "oak.txt"
    mail = firms.documents.read_for_firm("oak", kind=EXCEPTIONS_KIND, key=_WEEK)
    assert mail is not None
    for told in (mail.text, page.read_text()):
        words = " ".join(told.split())
        assert "runway mail resend" not in words
        assert (
            "nothing more is sent to c@acme.example: runway mail recipients add acme c@acme.example --lift-suppression says "
            "that it works again, runway mail recipients remove acme c@acme.example that nobody reads there; "
            "runway mail status acme shows all."
        ) in words
    reader = {"zone": "America/New_York", "locale": "en-GB", "currency_format": "symbol", "author": "ben"}
    firms.recipients.add(owner, address=keys["c"].address, name="", role="client", lift_suppression=True, **reader)
    firms.recipients.remove(owner, keys["d"].address)
    _materialize(firms, tmp_path / "later")
    row = _overview_of_acme(firms)
    assert (row.mails_open, row.resend_command, row.closed_address) == (1, keys["c"].resend_command, "")
    assert f"{keys['c'].resend_command} sends it once more." in " ".join(page.read_text().split())


def test_an_open_alarm_of_payments_is_told_before_what_waits_until_somebody_has_dealt_with_it(
    firms: Installation, tmp_path: Path
) -> None:
    """A payment that was made twice stood in the ledger's alarms, and nobody who reads the page or the mail was told."""
    for tenant in ("acme", "bolt"):
        _publish(firms, tenant, body=to_json(make_digest()))
    ledger = Ledger(firms.database, clock=firms.clock)
    with ledger.act(tenant_id("acme"), actor="system:test", kind="alarm") as act:
        alarm = raise_alarm(act, kind="paid twice", subject="RW-1", detail="two payments", remedy="void one")
    _materialize(firms, tmp_path / "dagster")
    mail = firms.documents.read_for_firm("oak", kind=EXCEPTIONS_KIND, key=_WEEK)
    assert mail is not None
    page = firms.settings.pages_root / "portfolios" / "oak.txt"
    for told in (mail.text, page.read_text()):
        words = " ".join(told.split())
        assert "open alarm of payments" in words
        assert "1 open alarm of payments: runway ledger alarms acme shows what can be done." in words
        assert "alarms bolt" not in words
    with ledger.act(tenant_id("acme"), actor="system:test", kind="alarm resolved") as act:
        act.update(ALARM, {"alarm_id": alarm}, {"resolved_by": "ann", "resolved_at": act.now})
    _materialize(firms, tmp_path / "later")
    assert "alarms acme" not in page.read_text()


def test_an_open_alarm_stands_before_a_payment_to_review() -> None:
    rows = (make_overview(tenant_id="review", to_review=3), make_overview(tenant_id="alarm", alarms=1))
    assert [one.tenant_id for one in by_attention(rows, policy=AttentionPolicy())] == ["alarm", "review"]


@pytest.mark.parametrize("others", [{"has_failed": True}, {"is_behind": True}], ids=["failed", "behind"])
def test_a_client_below_the_floor_stands_before_those_with_days_left_under_the_same_reason(
    others: dict[str, object],
) -> None:
    """It has no number of days, and was ordered as if its cash would never end."""
    below = {"state": RunwayState.ALREADY_BELOW} | dict.fromkeys(
        ("covered_until", "days", "cautious_until", "cautious_days")
    )
    rows = (
        make_overview(tenant_id="short", days=2, **others),
        make_overview(tenant_id="below", **below, **others),
        make_overview(tenant_id="beyond", **below | {"state": RunwayState.BEYOND_HORIZON}, **others),
    )
    assert [one.tenant_id for one in by_attention(rows, policy=AttentionPolicy())] == ["below", "short", "beyond"]


def test_mail_that_may_not_have_arrived_is_told_with_the_command_that_sends_it_again(
    firms: Installation, tmp_path: Path, clock: FixedClock
) -> None:
    _publish(firms, "acme", body=to_json(make_digest()))
    _mailed(firms, a="bounced", b="unknown", c="failed", d="unknown", e="sent")
    _materialize(firms, tmp_path / "dagster")
    (row,) = [one for one in read_fleet(firms.settings.fleet_file, firm_id="oak") if one.tenant_id == "acme"]
    assert (row.mail_unknown, row.mail_failed, row.mail_bounced) == (2, 1, 1)
    command = f"runway mail resend acme {_WEEK} b@acme.example --kind friday_digest"
    assert row.resend_command == command
    assert Reason.MAIL in row.reasons(AttentionPolicy())
    mail = firms.documents.read_for_firm("oak", kind=EXCEPTIONS_KIND, key=_WEEK)
    assert mail is not None
    page = (firms.settings.pages_root / "portfolios" / "oak.txt").read_text()
    for text in (" ".join(mail.text.split()), " ".join(page.split())):
        assert "2 unknown, 1 failed, 1 came back" in text
        assert f"{command} sends the first once more; runway mail status acme shows all." in text
    # Two weeks later it is no news any more.
    clock.move_to(clock.now() + timedelta(days=15))
    _materialize(firms, tmp_path / "later")
    (row,) = [one for one in read_fleet(firms.settings.fleet_file, firm_id="oak") if one.tenant_id == "acme"]
    assert (row.mails_open, row.resend_command) == (0, "")


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", "```\n# heading", "a\u2028<b>", "x" * 100_000, "| a |\n|---|"]
)
def test_a_preview_in_the_ui_is_code_whatever_it_says_and_bounded(text: str) -> None:
    shown = str(preview(text).value)
    assert all(line.startswith("    ") for line in shown.splitlines())
    assert len(shown) < PREVIEW_CHARACTERS + 100
