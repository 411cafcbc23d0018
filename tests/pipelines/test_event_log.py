"""Dagster's event log with kept engines: the same events in the same files as its own class writes."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage

from pipelines.event_log import KeptSqliteEventLog

ROOT = Path(__file__).parents[2]


@dg.asset(partitions_def=dg.StaticPartitionsDefinition(["a", "b"]))
def counted() -> dg.MaterializeResult[None]:
    return dg.MaterializeResult(metadata={"rows": 1})


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "dagster.yaml").write_text((ROOT / "dagster.yaml").read_text())
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    return tmp_path


def _storage(instance: dg.DagsterInstance) -> KeptSqliteEventLog:
    found = instance.event_log_storage
    assert isinstance(found, KeptSqliteEventLog)
    return found


def test_what_is_written_is_read_by_dagsters_own_class(home: Path) -> None:
    with dg.DagsterInstance.get() as instance:
        runs = [dg.materialize([counted], partition_key=one, instance=instance).run_id for one in ("a", "b")]
        kept = _storage(instance)
        own = SqliteEventLogStorage(str(home / "history" / "runs"))
        for run in runs:
            assert kept.get_logs_for_run(run)
            assert kept.get_logs_for_run(run) == own.get_logs_for_run(run)
        assert own.get_materialized_partitions(counted.key) == {"a", "b"}
        own.dispose()


def test_an_engine_is_kept_for_the_index_and_for_few_runs(home: Path) -> None:
    with dg.DagsterInstance.get() as instance:
        kept = _storage(instance)
        with kept.index_connection() as connection:
            engine = connection.engine
        for number in range(6):
            with kept.run_connection(f"run-{number}") as connection:
                assert connection.engine is not engine
        with kept.index_connection() as connection:
            assert connection.engine is engine
        assert _open_files(home) == {"index.db", *(f"run-{number}.db" for number in (2, 3, 4, 5))}
    assert not _open_files(home)


def _open_files(home: Path) -> set[str]:
    links = [one.resolve() for one in Path("/proc/self/fd").iterdir()]
    return {link.name for link in links if link.is_relative_to(home) and link.suffix == ".db"}


def test_threads_write_side_by_side_without_losing_an_event(home: Path) -> None:
    with dg.DagsterInstance.get() as instance:

        def report(number: int) -> None:
            for _ in range(5):
                instance.report_runless_asset_event(dg.AssetMaterialization("counted", partition=str(number)))

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(report, range(4)))
        counts = _storage(instance).get_materialized_partitions(counted.key)
        assert counts == {str(number) for number in range(4)}
        assert len(instance.fetch_materializations(counted.key, limit=100).records) == 20
