"""Mail from Dagster: a published digest is queued for its readers, a failed run for its firm, what is due is sent by a run."""

import itertools
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import pytest

from assets.mailing import queue_digest
from cli.session import ROOT
from pipelines.build import build_defs
from pipelines.failure_notices import NOTICE_KIND, FailedRun, enqueue_failure
from pipelines.mail_job import LONGEST_RUN
from pipelines.mail_sensors import failed_runs, mail_due
from pipelines.paying import batch_config
from resources.clock import FixedClock
from resources.failpoints import arm, disarm
from resources.installation import Installation
from resources.mail.outbox_claims import LEASE
from resources.mail.outbox_rows import OutboxRow
from resources.mail.recipients import Mode
from resources.mail.tables import MailOwner, of_firm, of_tenant
from resources.qbo.answers import RawAnswer, failure
from resources.settings import Settings
from resources.tenants import Tenant
from tests.conftest import FRIDAY, FRIDAY_MORNING
from tests.firm import dagster_instance, tell_of_failed_run, tell_of_failure
from tests.pipelines.published_digests import publish_digest
from tests.resources.mail_builders import published_parts
from tests.resources.mail_server import MailServer, mail_server, make_certificates

_MONTH = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_DATES = re.compile(rf"(?<![\w.])(\d{{1,2}} {_MONTH}|{_MONTH} \d{{1,2}})\b")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailServer]:
    with mail_server(make_certificates(tmp_path_factory.mktemp("authority"))) as running:
        yield running


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dg.DagsterInstance]:
    with dagster_instance(tmp_path_factory.mktemp("home") / "dagster") as opened:
        yield opened


@pytest.fixture
def office(bare_installation: Installation, server: MailServer, clock: FixedClock) -> Iterator[Installation]:
    """An installation with a mail server."""
    server.behave()
    server.taken.clear()
    settings = Settings(data_dir=bare_installation.settings.data_dir, mail=server.settings())
    opened = Installation(settings, clock=clock)
    opened.registry.add_firm("oak", name="Oak")
    try:
        yield opened
    finally:
        opened.close()


def _tenant(office: Installation, name: str, *, firm: str = "oak", mode: Mode = "live") -> Tenant:
    tenant = office.registry.add_tenant(name, firm_id=firm, name=f"{name} canary-{name}", zone="America/New_York")
    office.recipients.set_mode(of_tenant(tenant.tenant_id), mode, author="ann")
    return tenant


def _recipient(office: Installation, whose: Tenant | MailOwner, address: str, **overrides: str) -> None:
    owner = of_tenant(whose.tenant_id) if isinstance(whose, Tenant) else whose
    role = "client" if owner.kind == "tenant" else "firm"
    fields = {"name": "", "role": role, "locale": "en-GB", "zone": "America/New_York", "currency_format": "symbol"}
    office.recipients.add(owner, address=address, author="ann", **(fields | overrides))  # type: ignore[arg-type]  # words


def _rows(office: Installation, tenant: Tenant) -> dict[str, OutboxRow]:
    return {row.row_key.address: row for row in office.outbox.rows(of_tenant(tenant.tenant_id), kind="friday_digest")}


def _notices(office: Installation, firm: MailOwner) -> list[OutboxRow]:
    return sorted(office.outbox.rows(firm, kind=NOTICE_KIND), key=lambda row: row.row_key)


def _firm_reader(office: Installation, firm: str = "oak", *, mode: Mode = "live") -> MailOwner:
    owner = of_firm(firm)
    office.recipients.set_mode(owner, mode, author="ann")
    _recipient(office, owner, "books@oak.example")
    return owner


def test_each_recipient_gets_one_mail_with_the_published_bytes_or_its_own_formats_of_the_same_figures(
    office: Installation,
) -> None:
    acme = _tenant(office, "acme")
    _recipient(office, acme, "ann@acme.example")
    _recipient(office, acme, "bob@acme.example", locale="en-US", currency_format="code", zone="America/Los_Angeles")
    published = publish_digest(office, acme)
    assert queue_digest(office, acme, week_ending=FRIDAY) == 2
    rows = _rows(office, acme)
    plain, american = (office.outbox.content(rows[f"{one}@acme.example"]) for one in ("ann", "bob"))
    assert (plain.subject, plain.html, plain.text) == (published.title, published.html, published.text)
    assert "USD " in american.text
    assert "$" not in american.text + american.html
    assert _figures(american.text) == _figures(plain.text)
    assert len(american.subject) <= 60
    assert re.search(r"\b(Nov|Dec) \d", american.text)
    # Each on its own Friday morning.
    assert rows["ann@acme.example"].due_at == FRIDAY_MORNING
    assert rows["bob@acme.example"].due_at == datetime(2026, 11, 20, 15, 0, tzinfo=UTC)


def test_the_subject_of_the_firms_copy_says_whose_digest_it_is_and_the_rest_is_the_published_mail(
    office: Installation, server: MailServer
) -> None:
    name = "\u05de\u05d0\u05e4\u05d9\u05d4"
    acme = office.registry.add_tenant("acme", firm_id="oak", name=name, zone="America/New_York")
    office.recipients.set_mode(of_tenant("acme"), "live", author="ann")
    _recipient(office, acme, "ann@acme.example")
    _recipient(office, acme, "books@oak.example", role="firm")
    _recipient(office, acme, "partner@oak.example", role="firm", locale="en-US")
    published = publish_digest(office, acme)
    queue_digest(office, acme, week_ending=FRIDAY)
    assert office.mailer.drain().sent == 3
    subjects = {one["To"].addresses[0].addr_spec: str(one["Subject"]) for one in server.messages}
    assert subjects == {
        "ann@acme.example": published.title,
        "books@oak.example": f"\u2068{name}\u2069: Covered beyond 19 Feb (13 weeks), low point $22.1k",
        "partner@oak.example": f"\u2068{name}\u2069: Covered beyond Feb 19 (13 weeks), low point $22.1k",
    }
    for message in server.messages:
        if "partner" not in str(message["To"]):
            assert published_parts(message) == (published.text, published.html)


def _figures(text: str) -> list[str]:
    """Amounts and counts in order; dates are left out, their order differs."""
    without_clocks = re.sub(r"\b\d{1,2}:\d{2}( [ap]m)?", "", _DATES.sub("", " ".join(text.split())))
    return re.findall(r"-?\d[\d.,]*[kMB%]?", re.sub(r"(USD |\$)", "", without_clocks).replace(", 2026", " 2026"))


def test_making_the_week_again_queues_nothing_twice_and_changes_what_still_waits(
    office: Installation, server: MailServer, clock: FixedClock
) -> None:
    acme = _tenant(office, "acme")
    _recipient(office, acme, "ann@acme.example")
    publish_digest(office, acme)
    assert queue_digest(office, acme, week_ending=FRIDAY) == 1
    assert queue_digest(office, acme, week_ending=FRIDAY) == 0
    later = publish_digest(office, acme, at=FRIDAY_MORNING + timedelta(hours=1))
    changed = replace(later, title="Changed", data_as_of=FRIDAY_MORNING + timedelta(hours=2))
    office.documents.publish(changed)
    assert queue_digest(office, acme, week_ending=FRIDAY) == 1
    assert office.mailer.drain().sent == 1
    assert server.messages[0]["Subject"] == "Changed"
    office.documents.publish(replace(changed, title="Again", data_as_of=FRIDAY_MORNING + timedelta(hours=3)))
    assert queue_digest(office, acme, week_ending=FRIDAY) == 0
    assert office.mailer.drain().sent == 0
    assert len(server.taken) == 1


def test_past_weeks_and_weeks_without_a_digest_are_not_mailed(office: Installation, clock: FixedClock) -> None:
    acme = _tenant(office, "acme")
    _recipient(office, acme, "ann@acme.example")
    assert queue_digest(office, acme, week_ending=FRIDAY) == 0
    week_before = FRIDAY - timedelta(days=7)
    publish_digest(office, acme, week=week_before)
    assert queue_digest(office, acme, week_ending=week_before) == 0
    assert _rows(office, acme) == {}


@pytest.mark.parametrize("count", [5, pytest.param(50, marks=pytest.mark.long)])
def test_one_tenant_that_fails_changes_no_mail_of_another_and_no_mail_shows_anything_of_another(
    office: Installation, server: MailServer, clock: FixedClock, count: int
) -> None:
    """One is refused by the server, one could not be computed; everybody else's mail is there, with its own tenant's words."""
    _firm_reader(office)
    tenants = [_tenant(office, f"tenant-{number:02d}") for number in range(count)]
    for tenant in tenants:
        _recipient(office, tenant, f"owner@{tenant.tenant_id}.example")
        _recipient(office, tenant, "books@oak.example", role="firm")
    refused, failed, *well = tenants
    published = {tenant.tenant_id: publish_digest(office, tenant) for tenant in (refused, *well)}
    for tenant in (refused, *well):
        queue_digest(office, tenant, week_ending=FRIDAY)
    assert queue_digest(office, failed, week_ending=FRIDAY) == 0
    enqueue_failure(office, _failed(failed))
    clock.move_to(clock.now() + timedelta(minutes=11))
    server.misbehave(times=2, rcpt="550 no such user")
    drained = office.mailer.drain()
    assert (drained.failed, drained.sent) == (2, 2 * len(well) + 1)
    digests = [one for one in server.messages if "not up to date" not in one["Subject"]]
    (notice,) = [one for one in server.messages if "not up to date" in one["Subject"]]
    assert notice["To"].addresses[0].addr_spec == "books@oak.example"
    canaries = {f"canary-{tenant.tenant_id}" for tenant in tenants}
    seen = []
    for message in digests:
        plain, page = published_parts(message)
        (shown,) = {one for one in canaries if one in plain + page}
        tenant_id = shown.removeprefix("canary-")
        assert (plain, page) == (published[tenant_id].text, published[tenant_id].html)
        seen.append((tenant_id, message["To"].addresses[0].addr_spec))
    owners = {(one.tenant_id, f"owner@{one.tenant_id}.example") for one in well}
    assert sorted(seen) == sorted(owners | {(one.tenant_id, "books@oak.example") for one in well})


def _failed(tenant: Tenant, *, cause: str = "", job: str = "tenant_sync", at: datetime = FRIDAY_MORNING) -> FailedRun:
    cause = cause or f"QuickBooks refused '{tenant.tenant_id}' at 12:31. Run `runway connect {tenant.tenant_id}`."
    return FailedRun(tenant_id=tenant.tenant_id, job=job, cause=cause, failed_at=at)


def test_the_firm_gets_one_mail_for_all_tenants_with_the_same_cause_and_the_client_none(
    office: Installation, server: MailServer, clock: FixedClock
) -> None:
    _firm_reader(office)
    tenants = [_tenant(office, name) for name in ("acme", "bolt", "cord")]
    for tenant in tenants:
        _recipient(office, tenant, "partner@oak.example", role="firm")
        _recipient(office, tenant, f"owner@{tenant.tenant_id}.example")
        assert enqueue_failure(office, _failed(tenant)) == 1
        assert enqueue_failure(office, _failed(tenant)) == 0, "told with today's mail"
    assert enqueue_failure(office, _failed(tenants[0], cause="The disk is full.", job="friday")) == 1
    assert office.mailer.drain().sent == 0, "it waits for others of its kind"
    clock.move_to(clock.now() + timedelta(minutes=11))
    assert office.mailer.drain().sent == 2
    together, alone = sorted((one.get_body(("plain",)).get_content() for one in server.messages), key=len, reverse=True)
    assert all(f"canary-{tenant.tenant_id}" in together for tenant in tenants)
    assert "The digest could not be made, and none was sent to the client" in alone
    assert {one["To"].addresses[0].addr_spec for one in server.messages} == {"books@oak.example"}
    assert enqueue_failure(office, _failed(tenants[1])) == 0
    late = _tenant(office, "dune")
    assert enqueue_failure(office, _failed(late)) == 1, "who fails after the mail has left begins the next one"


def test_failures_of_two_firms_never_share_a_mail_and_one_in_preview_gets_none(
    office: Installation, server: MailServer, clock: FixedClock
) -> None:
    office.registry.add_firm("elm", name="Elm")
    firms = [_firm_reader(office), _firm_reader(office, "elm", mode="preview")]
    tenants = [_tenant(office, "acme"), _tenant(office, "bolt", firm="elm")]
    for tenant, firm in zip(tenants, firms, strict=True):
        enqueue_failure(office, _failed(tenant))
        (row,) = _notices(office, firm)
        assert [one["tenant_id"] for one in row.about or ()] == [tenant.tenant_id]
    clock.move_to(clock.now() + timedelta(minutes=11))
    assert office.mailer.drain().sent == 1
    assert "canary-bolt" not in server.messages[0].as_string()


def test_a_firm_without_recipients_is_told_nothing_and_nothing_breaks(office: Installation) -> None:
    assert enqueue_failure(office, _failed(_tenant(office, "acme"))) == 0


def test_the_sensor_asks_for_a_run_when_mail_is_due_and_the_run_sends_it(
    office: Installation, server: MailServer, instance: dg.DagsterInstance
) -> None:
    acme = _tenant(office, "acme")
    _recipient(office, acme, "ann@acme.example")

    def tick() -> dg.RunRequest | dg.SkipReason:
        found = mail_due(dg.build_sensor_context(instance=instance, resources={"installation": office}))
        assert isinstance(found, dg.RunRequest | dg.SkipReason)
        return found

    assert isinstance(tick(), dg.SkipReason)
    publish_digest(office, acme)
    queue_digest(office, acme, week_ending=FRIDAY)
    assert isinstance(tick(), dg.RunRequest)
    assert server.taken == [], "the sensor sends nothing"
    job = build_defs(resource_overrides={"installation": office}).resolve_job_def("send_mail")
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    assert job.execute_in_process(instance=instance, run_config=quiet).success
    assert len(server.taken) == 1
    assert isinstance(tick(), dg.SkipReason)
    run = instance.create_run_for_job(job_def=job, status=dg.DagsterRunStatus.STARTED)
    office.outbox.enqueue(
        replace(next(iter(_rows(office, acme).values())).row_key, key="2026-11-27"),
        office.outbox.content(next(iter(_rows(office, acme).values()))),
        due_at=office.clock.now(),
        expires_at=office.clock.now() + timedelta(days=1),
    )
    assert "under way" in str(tick())
    instance.report_run_failed(run)
    server.misbehave(auth="535 wrong password")
    failed = job.execute_in_process(instance=instance, run_config=quiet, raise_on_error=False)
    assert not failed.success, "a server that cannot be spoken to is a red run"


def test_a_run_that_sends_ends_long_before_the_daemon_would_end_it_in_the_middle_of_a_mail(
    office: Installation, server: MailServer, instance: dg.DagsterInstance, clock: FixedClock
) -> None:
    """A server that takes twelve minutes for each mail; another run is asked for as long as any is due."""
    acme = _tenant(office, "acme")
    for number in range(3):
        _recipient(office, acme, f"reader-{number}@acme.example")
    publish_digest(office, acme)
    queue_digest(office, acme, week_ending=FRIDAY)
    job = build_defs(resource_overrides={"installation": office}).resolve_job_def("send_mail")
    arm("mail.answered", hit=None, action=lambda: clock.move_to(clock.now() + timedelta(minutes=12)))
    try:
        assert job.execute_in_process(instance=instance, run_config=_QUIET).success
        assert sorted(row.state for row in _rows(office, acme).values()) == ["queued", "sent", "sent"]
        again = mail_due(dg.build_sensor_context(instance=instance, resources={"installation": office}))
        assert isinstance(again, dg.RunRequest)
        assert job.execute_in_process(instance=instance, run_config=_QUIET).success
    finally:
        disarm()
    assert {row.state for row in _rows(office, acme).values()} == {"sent"}
    (deployed,) = re.findall(r"max_runtime_seconds: (\d+)", (ROOT / "dagster.yaml").read_text())
    assert timedelta(seconds=int(deployed)) > LONGEST_RUN + LEASE, "a mail takes no longer than its lease"


def test_a_failed_run_reaches_the_firm_with_its_cause(office: Installation, instance: dg.DagsterInstance) -> None:
    """Books that were never read: the run fails in words, and those are what the firm reads."""
    firm = _firm_reader(office)
    _tenant(office, "acme")
    job = build_defs(resource_overrides={"installation": office}).resolve_job_def("friday")
    instance.add_dynamic_partitions("tenant", ["acme"])
    result = job.execute_in_process(
        instance=instance,
        partition_key="acme",
        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        raise_on_error=False,
    )
    for _ in range(2):
        tell_of_failure(result, instance=instance, installation=office)
    (row,) = _notices(office, firm)
    text = office.outbox.content(row).text
    assert "have never been read" in text
    assert "canary-acme" in text
    assert "Traceback" not in text


def test_causes_that_differ_in_numbers_and_names_are_one() -> None:
    prints = {
        FailedRun(
            tenant_id=tenant,
            job="friday",
            cause=f"QuickBooks refused {tenant!r} after {seconds} seconds.",
            failed_at=FRIDAY_MORNING,
        ).fingerprint
        for tenant, seconds in itertools.product(("acme", "bolt-supply"), (3, 30.5))
    }
    assert len(prints) == 1


def test_an_id_that_is_part_of_another_word_leaves_that_word_alone() -> None:
    cause = "QuickBooks no longer accepts the connection of 'run'. Reconnect with `runway connect run`."
    failed = FailedRun(tenant_id="run", job="friday", cause=cause, failed_at=FRIDAY_MORNING)
    assert failed.cause_of_any == (
        "QuickBooks no longer accepts the connection of 'TENANT'. Reconnect with `runway connect TENANT`."
    )


def test_failures_that_differ_in_the_id_of_quickbooks_answer_are_one_mail_that_shows_no_tenants_id(
    office: Installation, clock: FixedClock
) -> None:
    """Five times in a day for each of three tenants, as in a night in which QuickBooks is down."""
    firm = _firm_reader(office)
    tenants = [_tenant(office, name) for name in ("acme", "bolt", "cord")]
    ids = (f"1-5f73a{number:03x}-{number:02x}e18c0d1e2f3a4b5c6dab{number:02x}" for number in itertools.count())
    for _ in range(5):
        for tenant in tenants:
            answer = RawAnswer(call="a read of changes", status=503, headers={"intuit_tid": next(ids)}, text="")
            cause = str(failure(answer))
            assert "intuit_tid 1-5f73a" in cause
            enqueue_failure(office, _failed(tenant, cause=cause, at=clock.now()))
        clock.move_to(clock.now() + timedelta(minutes=1))
    (row,) = _notices(office, firm)
    content = office.outbox.content(row)
    assert all(f"canary-{tenant.tenant_id}" in content.text for tenant in tenants)
    assert "intuit_tid" not in content.subject + content.text + content.html
    assert "is not available for a read of changes" in content.text


def test_yesterdays_notice_of_the_same_cause_keeps_nobody_from_being_told_today(
    office: Installation, clock: FixedClock
) -> None:
    firm = _firm_reader(office)
    acme = _tenant(office, "acme")
    assert [enqueue_failure(office, _failed(acme, at=clock.now())) for _ in range(2)] == [1, 0]
    clock.move_to(clock.now() + timedelta(days=1))
    assert [enqueue_failure(office, _failed(acme, at=clock.now())) for _ in range(2)] == [1, 0]
    assert len(_notices(office, firm)) == 2


_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
_OF_A_RANGE = {"dagster/asset_partition_range_start": "acme", "dagster/asset_partition_range_end": "cord"}


def _told(office: Installation, instance: dg.DagsterInstance, firm: MailOwner, job: str, **asked: Any) -> str:
    """Run a deployed job that fails; what the firm's mails say then."""
    definitions = build_defs(resource_overrides={"installation": office})
    found = (
        definitions.resolve_implicit_global_asset_job_def()
        if job == "__ASSET_JOB"
        else definitions.resolve_job_def(job)
    )
    asked["run_config"] = _QUIET | asked.get("run_config", {})
    result = found.execute_in_process(instance=instance, raise_on_error=False, **asked)
    assert not result.success
    tell_of_failure(result, instance=instance, installation=office)
    return "\n".join(office.outbox.content(row).text for row in _notices(office, firm))


def test_a_firm_is_told_of_every_job_that_fails_for_a_tenant(
    office: Installation, instance: dg.DagsterInstance
) -> None:
    """Books that were never read, a batch that is none; the daemon shows the sensor the runs of every job."""
    assert not failed_runs._monitored_jobs
    firm = _firm_reader(office)
    for name in ("acme", "bolt", "cord"):
        _tenant(office, name)
    instance.add_dynamic_partitions("tenant", ["acme", "bolt", "cord"])
    asset = dg.AssetKey(["runway", "hygiene"])
    for job, what, asked in (
        ("test_drive", "Its test drive could not be made", {"partition_key": "acme"}),
        ("payment_batch", "A batch of its payments stopped", {"run_config": batch_config("acme", "none")}),
        (
            "__ASSET_JOB",
            "What was asked for in the Dagster UI could not be calculated",
            {"partition_key": "bolt", "asset_selection": [asset]},
        ),
    ):
        told = _told(office, instance, firm, job, **asked)
        assert re.search(rf"canary-(acme|bolt)\n +{what}", told), told
        assert "Traceback" not in told


def test_of_a_range_that_ended_without_a_word_each_tenant_is_told(
    office: Installation, instance: dg.DagsterInstance
) -> None:
    firm = _firm_reader(office)
    for name in ("acme", "bolt", "cord", "dune"):
        _tenant(office, name)
    instance.add_dynamic_partitions("tenant", ["acme", "bolt", "cord", "dune"])
    job = build_defs(resource_overrides={"installation": office}).resolve_job_def("friday")
    run = instance.create_run_for_job(job_def=job, status=dg.DagsterRunStatus.STARTED, tags=_OF_A_RANGE)
    instance.report_run_failed(run)
    tell_of_failed_run(run, instance=instance, installation=office)
    (row,) = _notices(office, firm)
    assert [one["tenant_id"] for one in row.about or ()] == ["acme", "bolt", "cord"]


def test_each_firm_is_told_that_the_page_of_all_its_clients_failed(
    office: Installation, instance: dg.DagsterInstance
) -> None:
    office.registry.add_firm("elm", name="Elm")
    firms = [_firm_reader(office), _firm_reader(office, "elm")]
    _tenant(office, "acme")
    _tenant(office, "bolt", firm="elm")
    office.settings.fleet_file.mkdir()
    text = _told(office, instance, firms[0], "portfolio")
    (other,) = _notices(office, firms[1])
    for told in (text, office.outbox.content(other).text):
        assert "All clients: not up to date" in told
        assert "The page of all clients and the weekly mail about them could not be made." in told
        assert "canary" not in told


def test_a_partition_that_is_no_tenant_id_stops_no_other_and_names_itself(
    office: Installation, instance: dg.DagsterInstance
) -> None:
    firm = _firm_reader(office)
    _tenant(office, "acme")
    instance.add_dynamic_partitions("tenant", ["Not a tenant!"])
    assert _told(office, instance, firm, "tenant_sync", partition_key="Not a tenant!") == ""
