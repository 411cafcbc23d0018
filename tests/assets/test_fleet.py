"""The portfolio: every tenant of a firm once, whatever became of it, from one file that is swapped in whole."""

import multiprocessing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from assets.fleet import EXCEPTIONS_KIND, FLEET_ASSETS
from assets.fleet_file import read_fleet, write_fleet
from assets.partitions import TENANTS
from experiences.digest.document import to_json
from experiences.portfolio.document import from_json
from experiences.portfolio.overview import Reason, Standing
from resources.documents import Document
from resources.installation import Installation
from resources.tenants import tenant_id
from runway_calcs.policy import AttentionPolicy
from tests.conftest import FRIDAY
from tests.experiences.builders import make_digest
from tests.experiences.portfolio_builders import make_overview
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
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            pool.apply(write_fleet, (file, [make_overview(tenant_id="bolt")]))
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
        ({"blocking_count": 1}, Reason.BLOCKING),
        ({"standing": Standing.MISSING}, Reason.NO_FIGURES),
    ],
)
def test_each_exception_has_its_reason(changes: dict[str, object], reason: Reason) -> None:
    policy = AttentionPolicy()
    assert make_overview().reasons(policy) == ()
    assert make_overview(**changes).reasons(policy) == (reason,)
