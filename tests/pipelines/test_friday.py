"""The Friday run, end to end: real HTTP to the local QuickBooks, the deployed jobs on a real instance."""

import hashlib
import logging
import sqlite3
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import pytest

from pipelines.build import ASSETS
from resources.clock import FixedClock
from resources.installation import Installation, RunWeek
from resources.mail.tables import of_tenant
from resources.secret_text import LogScrubber
from resources.tenants import TenantId, tenant_id
from tests.conftest import FRIDAY
from tests.firm import Firm, dagster_instance
from tests.sandbox import Sandbox

_DIGEST = "digest/friday_digest"


@pytest.fixture
def firm(tmp_path: Path, installation: Installation, sandbox: Sandbox) -> Iterator[Firm]:
    with dagster_instance(tmp_path / "dagster") as instance:
        yield Firm(installation, instance, sandbox)


def _digest(firm: Firm, tenant: str, week: date = FRIDAY) -> Path:
    return firm.installation.settings.digests_root / tenant / f"{week.isoformat()}.html"


def test_failing_tenants_are_red_and_say_why_and_the_good_ones_digest_is_there(firm: Firm) -> None:
    good, broken, revoked = (firm.company(name, seed=seed) for seed, name in enumerate(("good", "broken", "revoked")))
    tenants = ["broken", "good", "revoked"]
    firm.sandbox.break_with(broken.realm_id, kind="http_500")
    firm.sandbox.revoke(revoked.realm_id)

    syncs = {tenant: firm.run("tenant_sync", tenant) for tenant in tenants}
    fridays = {tenant: firm.run("friday", tenant) for tenant in tenants}

    assert {tenant: result.success for tenant, result in fridays.items()} == {
        "broken": False,
        "good": True,
        "revoked": False,
    }
    assert _digest(firm, "good").exists()
    assert not _digest(firm, "broken").exists()
    assert firm.status("raw_qbo/bills", tenants) == {"broken": "FAILED", "good": "MATERIALIZED", "revoked": "FAILED"}
    assert firm.status(_DIGEST, tenants) == {"broken": "FAILED", "good": "MATERIALIZED", "revoked": "FAILED"}
    assert "QuickBooks is not available" in firm.failure(syncs["broken"])
    assert "runway connect revoked" in firm.failure(syncs["revoked"])
    assert "never been read" in firm.failure(fridays["broken"])

    # The cause is mended and just the failed partitions are run again.
    firm.sandbox.heal(broken.realm_id)
    firm.connect("revoked", revoked.realm_id)
    failed = [tenant for tenant, status in firm.status(_DIGEST, tenants).items() if status == "FAILED"]
    assert sorted(failed) == ["broken", "revoked"]
    for tenant in failed:
        firm.succeed("tenant_sync", tenant)
        firm.succeed("friday", tenant)
    assert firm.status(_DIGEST, tenants) == dict.fromkeys(tenants, "MATERIALIZED")
    assert good.realm_id != broken.realm_id


def test_a_sync_that_fails_later_leaves_a_digest_that_says_how_old_its_books_are(firm: Firm, clock: FixedClock) -> None:
    company = firm.company("acme")
    firm.succeed("tenant_sync", "acme")
    clock.move_to(clock.now() + timedelta(days=7))
    firm.sandbox.break_with(company.realm_id, kind="http_500")
    try:
        assert not firm.run("tenant_sync", "acme").success
    finally:
        firm.sandbox.heal(company.realm_id)
    assert firm.status("raw_qbo/invoices", ["acme"]) == {"acme": "FAILED"}
    firm.succeed("friday", "acme")
    text = _digest(firm, "acme", FRIDAY + timedelta(days=7)).with_suffix(".txt").read_text()
    assert "Books are 7 days old" in text


def test_a_week_that_lies_ahead_is_refused_and_publishes_nothing(firm: Firm) -> None:
    """It would stand for the newest week until then."""
    company = firm.company("acme")
    for job in ("friday", "test_drive"):
        result = firm.run(job, "acme", week_ending=FRIDAY + timedelta(days=364))
        assert not result.success
        assert "The week ending 2027-11-19 lies ahead of 'acme', where it is 2026-11-20." in firm.failure(result)
    ever = date(9999, 12, 31)
    assert firm.installation.documents.newest(company.tenant, kind="friday_digest", not_after=ever) is None


def _state(firm: Firm) -> dict[str, str]:
    """Everything a second run could change: files of the data folder by content, rows of the results and documents."""
    data = firm.installation.settings.data_dir
    found = {
        str(path.relative_to(data)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(data.rglob("*"))
        if path.is_file() and "runway.sqlite" not in path.name and "keys" not in path.parts
    }
    with firm.installation.database.read() as connection:
        for table in (
            "result",
            "segment",
            "published_document",
            "quarantine",
            "mail_content",
            "outbox",
            "outbox_event",
        ):
            rows = connection.exec_driver_sql(f"SELECT * FROM {table} ORDER BY 1, 2, 3").all()  # noqa: S608 - fixed names
            found[table] = repr(rows)
    return found


def test_running_friday_twice_changes_nothing(firm: Firm) -> None:
    company = firm.company("acme", industry="construction")
    _add_reader(firm, company.tenant)
    firm.succeed("tenant_sync", "acme")
    for week in (None, FRIDAY - timedelta(days=7)):
        firm.succeed("friday", "acme", week_ending=week)
    before = _state(firm)
    for week in (None, FRIDAY - timedelta(days=7)):
        firm.succeed("friday", "acme", week_ending=week)
    assert _state(firm) == before
    (mail,) = firm.installation.outbox.rows(
        of_tenant(company.tenant)
    )  # of the newest week, as it was published, and once
    published = firm.installation.documents.read(company.tenant, kind="friday_digest", key=FRIDAY.isoformat())
    assert published is not None
    content = firm.installation.outbox.content(mail)
    assert (content.subject, content.html, content.text) == (published.title, published.html, published.text)


def _add_reader(firm: Firm, tenant: TenantId) -> None:
    firm.installation.recipients.add(
        of_tenant(tenant),
        address="ann@acme.example",
        name="Ann",
        role="client",
        locale="en-GB",
        zone="America/New_York",
        currency_format="symbol",
        author="ben",
    )


def test_syncing_unchanged_books_again_keeps_no_new_version(firm: Firm, clock: FixedClock) -> None:
    firm.company("acme")
    firm.succeed("tenant_sync", "acme")
    clock.move_to(clock.now() + timedelta(hours=1))
    before = _state(firm)
    firm.succeed("tenant_sync", "acme")
    assert _state(firm) == before


@pytest.mark.long  # `tests/assets/test_replay.py` does so with several weeks in the default suite
def test_a_week_recalculated_after_later_syncs_is_the_same_to_the_byte(firm: Firm, clock: FixedClock) -> None:
    firm.company("acme")
    firm.succeed("tenant_sync", "acme")
    firm.succeed("friday", "acme", week_ending=FRIDAY)
    told = _digest(firm, "acme").read_bytes()
    clock.move_to(clock.now() + timedelta(days=9))
    firm.succeed("tenant_sync", "acme")
    firm.succeed("friday", "acme", week_ending=FRIDAY)
    assert _digest(firm, "acme").read_bytes() == told


def test_a_sync_that_commits_in_the_middle_of_a_friday_run_does_not_mix_into_it(firm: Firm, clock: FixedClock) -> None:
    firm.company("acme")
    firm.succeed("tenant_sync", "acme")
    firm.succeed("friday", "acme")
    clock.move_to(clock.now() + timedelta(hours=2))
    firm.succeed("tenant_sync", "acme")
    result = dg.materialize(
        list(ASSETS),
        partition_key="acme",
        instance=firm.instance,
        resources={"installation": firm.installation, "week": RunWeek(week_ending=None, started_at=clock.now())},
        selection=dg.AssetSelection.groups("runway", "priority", "digest"),
        raise_on_error=False,
    )
    assert result.success


def test_no_token_is_found_in_anything_that_was_written(
    firm: Firm, sandbox: Sandbox, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Tokens of every outcome (good, expired and echoed, revoked) against every file, Dagster's storage and the DEBUG log."""
    log = tmp_path / "debug.log"
    handler = logging.FileHandler(log)
    handler.addFilter(LogScrubber())
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        good, revoked = firm.company("good"), firm.company("revoked", seed=2)
        secrets = _tokens(firm, "good") | _tokens(firm, "revoked")
        sandbox.revoke(revoked.realm_id)
        for tenant in ("good", "revoked"):
            firm.run("tenant_sync", tenant)
            firm.run("friday", tenant)
        secrets |= _tokens(firm, "good")
        assert good.realm_id
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
        handler.close()
    # What is in write-ahead logs has to reach the files that are searched.
    for database in tmp_path.rglob("*.sqlite"):
        with sqlite3.connect(database) as connection:
            connection.execute("PRAGMA wal_checkpoint(FULL)")
        connection.close()
    assert log.stat().st_size > 0
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) > 50
    hits = [str(path) for path in files for secret in secrets if secret.encode() in path.read_bytes()]
    hits += ["captured log" for secret in secrets if secret in caplog.text]
    assert hits == []


def _tokens(firm: Firm, tenant: str) -> set[str]:
    tokens = firm.installation.connections.load(tenant_id(tenant)).tokens
    return {tokens.access_token.reveal(), tokens.refresh_token.reveal()}
