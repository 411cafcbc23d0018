"""The lake: immutable segments, and an engine that reaches one tenant's folder and nothing else."""

import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from resources.lake import Lake, Segment
from resources.tenants import BadTenantId, TenantId
from tests.processes import at_once
from tests.resources.builders import ACME, make_lake, make_rows, make_segment

_TABLE = "raw_qbo/bills"
#: Names that begin alike: a check of prefixes would take the second for a part of the first.
_T1, _T10 = TenantId("tenant-1"), TenantId("tenant-10")


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """An empty lake."""
    return make_lake(tmp_path)


def _files(tmp_path: Path) -> list[str]:
    root = tmp_path / "lake"
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if not path.is_dir())


def test_rows_come_back_in_the_order_of_segments_and_rows(lake: Lake) -> None:
    segments = [lake.write(tenant=ACME, table=_TABLE, rows=make_rows(*ids)) for ids in (("3", "1"), ("2",))]
    assert lake.read(tenant=ACME, segments=segments)["qbo_id"].to_pylist() == ["3", "1", "2"]
    assert lake.read(tenant=ACME, segments=segments[::-1])["qbo_id"].to_pylist() == ["2", "3", "1"]


def test_a_segment_says_what_its_file_is(lake: Lake, tmp_path: Path) -> None:
    segment = lake.write(tenant=ACME, table=_TABLE, rows=make_rows("1", "2", "3"))
    path = tmp_path / "lake" / ACME / segment.path
    assert (segment.rows, segment.bytes, segment.table) == (3, path.stat().st_size, _TABLE)
    assert segment.segment_id == f"{_TABLE}@{segment.sha256[:32]}"
    assert path.stem == segment.sha256[:32]


def test_types_survive(lake: Lake) -> None:
    rows = make_rows("1", known_at=datetime(2026, 11, 20, 12, 30, 0, 123456, tzinfo=UTC))
    segment = lake.write(tenant=ACME, table=_TABLE, rows=rows)
    assert lake.read(tenant=ACME, segments=[segment]).to_pylist() == rows.to_pylist()


def test_the_same_rows_again_are_the_same_segment_and_no_second_file(lake: Lake, tmp_path: Path) -> None:
    first = lake.write(tenant=ACME, table=_TABLE, rows=make_rows("1", "2"))
    assert lake.write(tenant=ACME, table=_TABLE, rows=make_rows("1", "2")) == first
    assert _files(tmp_path) == [f"{ACME}/{first.path}"]
    assert lake.write(tenant=ACME, table=_TABLE, rows=make_rows("2", "1")) != first


def test_processes_that_write_the_same_rows_at_once_agree(tmp_path: Path) -> None:
    written = at_once(4, _write_rows, tmp_path)
    assert len(set(written)) == 1
    assert len(_files(tmp_path)) == 1


def _write_rows(number: int, tmp_path: Path) -> Segment:
    return make_lake(tmp_path).write(tenant=ACME, table=_TABLE, rows=make_rows("1", "2"))


def test_batches_make_one_segment(lake: Lake) -> None:
    with lake.writer(tenant=ACME, table=_TABLE, schema=make_rows().schema) as writer:
        writer.append(make_rows("1"))
        writer.append(make_rows("2", "3"))
        segment = writer.finish()
    assert segment.rows == 3
    assert lake.read(tenant=ACME, segments=[segment])["qbo_id"].to_pylist() == ["1", "2", "3"]


def test_an_empty_table_is_a_segment_too(lake: Lake) -> None:
    segment = lake.write(tenant=ACME, table=_TABLE, rows=make_rows())
    assert lake.read(tenant=ACME, segments=[segment]).num_rows == 0
    assert lake.read(tenant=ACME, segments=[segment]).column_names == make_rows().column_names


def test_nothing_to_read_is_a_mistake_of_the_caller(lake: Lake) -> None:
    with pytest.raises(ValueError, match="no segments"):
        lake.read(tenant=ACME, segments=[])


def test_a_writer_whose_work_fails_leaves_nothing(lake: Lake, tmp_path: Path) -> None:
    def write_and_fail() -> None:
        with lake.writer(tenant=ACME, table=_TABLE, schema=make_rows().schema) as writer:
            writer.append(make_rows("1"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_and_fail()
    assert _files(tmp_path) == []


def test_a_writer_that_is_not_finished_leaves_nothing(lake: Lake, tmp_path: Path) -> None:
    with lake.writer(tenant=ACME, table=_TABLE, schema=make_rows().schema) as writer:
        writer.append(make_rows("1"))
    assert _files(tmp_path) == []


def test_nothing_has_its_name_before_it_is_finished(lake: Lake, tmp_path: Path) -> None:
    with lake.writer(tenant=ACME, table=_TABLE, schema=make_rows().schema) as writer:
        writer.append(make_rows("1"))
        assert [Path(name).suffix for name in _files(tmp_path)] == [".unfinished"]
        writer.finish()
        assert [Path(name).suffix for name in _files(tmp_path)] == [".parquet"]


def test_files_and_folders_are_their_owners_alone(lake: Lake, tmp_path: Path) -> None:
    lake.write(tenant=ACME, table=_TABLE, rows=make_rows("1"))
    everything = [tmp_path / "lake", *(tmp_path / "lake").rglob("*")]
    assert {stat.S_IMODE(path.stat().st_mode) for path in everything if path.is_dir()} == {0o700}
    assert {stat.S_IMODE(path.stat().st_mode) for path in everything if path.is_file()} == {0o600}


@pytest.mark.parametrize(
    "tenant", ["../x", "..", "", "a/b", "/etc", "..%2f", "abc\0", "CON", "a" * 300, "\u0430cme", "abc\n"]
)
def test_an_id_that_leads_elsewhere_is_refused(lake: Lake, tmp_path: Path, tenant: str) -> None:
    with pytest.raises(BadTenantId):
        lake.write(tenant=TenantId(tenant), table=_TABLE, rows=make_rows("1"))
    with pytest.raises(BadTenantId), lake.open(TenantId(tenant)):
        pytest.fail("opened")
    with pytest.raises(BadTenantId):
        lake.sweep(TenantId(tenant), named=frozenset(), older_than=datetime.now(tz=UTC))
    assert _files(tmp_path) == []


@pytest.mark.parametrize(
    "table", ["", "bills", "../x/bills", "raw_qbo/../x", "raw_qbo/bills/x", "RAW/bills", "raw_qbo/bills\n"]
)
def test_a_table_that_leads_elsewhere_is_refused(lake: Lake, table: str) -> None:
    with pytest.raises(ValueError, match="table name"):
        lake.write(tenant=ACME, table=table, rows=make_rows("1"))


@pytest.mark.parametrize("target", ["outside", "lake/tenant-10", "lake/tenant-10/tenant-1"])
def test_a_tenants_folder_that_is_a_link_is_refused(lake: Lake, tmp_path: Path, target: str) -> None:
    """The last one even has the tenant's name and lies inside the lake."""
    (tmp_path / target).mkdir(parents=True)
    (tmp_path / "lake").mkdir(exist_ok=True)
    (tmp_path / "lake" / _T1).symlink_to(tmp_path / target)
    with pytest.raises(ValueError, match="link"):
        lake.write(tenant=_T1, table=_TABLE, rows=make_rows("1"))


#: How the engine says no; anything else would be an attack that failed by accident.
_REFUSALS = "^Permission Error|has been locked|secret_frame does not exist"


@pytest.fixture
def scene(lake: Lake, tmp_path: Path) -> Path:
    """A tenant with a segment, a neighbour with another, files outside, links inside that lead to them; the lake's root."""
    root = tmp_path / "lake"
    lake.write(tenant=_T1, table=_TABLE, rows=make_rows("own"))
    neighbours = lake.write(tenant=_T10, table=_TABLE, rows=make_rows("neighbours"))
    (tmp_path / "outside.csv").write_text("a,b\n1,2\n")
    pq.write_table(pa.table({"a": [1]}), root / _T10 / "plain.parquet")
    (root / _T10 / "database.duckdb").touch()
    (root / _T1 / "link.parquet").symlink_to(root / _T10 / neighbours.path)
    (root / _T1 / "link").symlink_to(root / _T10)
    return root


@pytest.mark.parametrize(
    "attack",
    [
        pytest.param("SELECT * FROM read_csv('{outside}')", id="read_csv outside"),
        pytest.param("SELECT * FROM read_text('{outside}')", id="read_text outside"),
        pytest.param("SELECT * FROM read_blob('/etc/hostname')", id="read_blob outside"),
        pytest.param("SELECT * FROM '{outside}'", id="a file as a table"),
        pytest.param("SELECT * FROM read_parquet('{root}/tenant-10/plain.parquet')", id="neighbour of the same prefix"),
        pytest.param("SELECT * FROM read_parquet('{root}/tenant-1/../tenant-10/plain.parquet')", id="parent folder"),
        pytest.param("SELECT * FROM read_parquet('{root}/tenant-10/*.parquet')", id="glob of the neighbour"),
        pytest.param("SELECT * FROM read_parquet('{root}/*/plain.parquet')", id="glob of everybody"),
        pytest.param("SELECT * FROM glob('{root}/*')", id="listing the lake"),
        pytest.param("SELECT * FROM glob('/etc/*')", id="listing a folder"),
        pytest.param("ATTACH '{root}/tenant-10/database.duckdb' AS other", id="ATTACH the neighbour"),
        pytest.param("ATTACH '{root}/../new.duckdb' AS other", id="ATTACH a new file outside"),
        pytest.param("COPY (SELECT 1) TO '{root}/tenant-10/written.csv'", id="COPY to the neighbour"),
        pytest.param("COPY (SELECT 1) TO '{root}/../written.csv'", id="COPY outside"),
        pytest.param("EXPORT DATABASE '{root}/../exported'", id="EXPORT"),
        pytest.param("INSTALL httpfs", id="INSTALL"),
        pytest.param("LOAD httpfs", id="LOAD"),
        pytest.param("SELECT * FROM read_csv('http://127.0.0.1:9/x.csv')", id="network"),
        pytest.param("SET enable_external_access = true", id="SET access back"),
        pytest.param("RESET enable_external_access", id="RESET access"),
        pytest.param("SET allowed_directories = ['/']", id="SET another folder"),
        pytest.param("SET lock_configuration = false", id="SET the lock back"),
        pytest.param("SET python_enable_replacements = true", id="SET replacements back"),
        pytest.param("SELECT * FROM secret_frame", id="a variable of the program"),
    ],
)
def test_the_engine_reaches_nothing_outside_the_tenants_folder(lake: Lake, scene: Path, attack: str) -> None:
    secret_frame = pa.table({"a": [1]})
    statement = attack.format(root=scene, outside=scene.parent / "outside.csv")
    own = lake.write(tenant=_T1, table=_TABLE, rows=make_rows("own"))
    before = sorted(scene.parent.rglob("*"))
    with lake.open(_T1) as opened:
        opened.rows([own])
        assert opened._connection is not None
        with pytest.raises(duckdb.Error, match=_REFUSALS):
            opened._connection.execute(statement).fetchall()
        if statement.startswith("SELECT"):
            with pytest.raises(duckdb.Error, match=_REFUSALS):
                opened.rows([own], sql=statement)
    assert sorted(scene.parent.rglob("*")) == before
    assert secret_frame.num_rows == 1


@pytest.mark.parametrize(
    "path",
    [
        "../tenant-10/plain.parquet",
        "raw_qbo/../../tenant-10/plain.parquet",
        "link.parquet",
        "link/plain.parquet",
        "../../outside.parquet",
    ],
)
def test_a_stored_path_that_leads_elsewhere_is_not_read(lake: Lake, scene: Path, path: str) -> None:
    pq.write_table(pa.table({"a": [1]}), scene.parent / "outside.parquet")
    segment = Segment(segment_id="x", table=_TABLE, path=path, rows=1, bytes=1, sha256="")
    with pytest.raises(duckdb.Error, match=_REFUSALS):
        lake.read(tenant=_T1, segments=[segment])


@pytest.mark.parametrize("path", ["tenant-10", "tenant-1/../tenant-10", "tenant-1/link", "*"])
def test_what_the_attacks_ask_for_is_there(scene: Path, path: str) -> None:
    """Without this, a mistyped path would be 'refused' too."""
    [found] = {one.resolve() for one in scene.glob(f"{path}/plain.parquet")}
    assert pq.read_table(found).to_pylist() == [{"a": 1}]


@pytest.mark.long
def test_a_query_that_wants_more_memory_than_a_tenant_may_have_fails_alone(lake: Lake) -> None:
    segment = lake.write(tenant=ACME, table=_TABLE, rows=make_rows("1"))
    with lake.open(ACME) as opened:
        assert opened.rows([segment], sql="SELECT current_setting('memory_limit') AS most")["most"].to_pylist() == [
            "1.8 GiB"
        ]
        with pytest.raises(duckdb.OutOfMemoryException):
            opened.rows(
                [segment],
                sql="SELECT list(a || repeat('x', 1000)) AS all FROM (SELECT i::VARCHAR AS a FROM range(4000000) t(i))",
            )
        assert opened.rows([segment]).num_rows == 1


def test_parameters_are_data(lake: Lake) -> None:
    segment = lake.write(tenant=ACME, table=_TABLE, rows=make_rows("1", "2", "' OR 1=1 --"))
    with lake.open(ACME) as opened:
        found = opened.rows([segment], sql="SELECT qbo_id FROM segments WHERE qbo_id = $asked", asked="' OR 1=1 --")
    assert found["qbo_id"].to_pylist() == ["' OR 1=1 --"]


def test_the_sweep_spares_named_and_young_files(lake: Lake, tmp_path: Path) -> None:
    now = datetime.now(tz=UTC)
    folder = tmp_path / "lake" / ACME
    named, forgotten, young = (lake.write(tenant=ACME, table=_TABLE, rows=make_rows(one)) for one in "123")
    unfinished = folder / _TABLE / ".1-dead.unfinished"
    unfinished.touch()
    for path in (folder / named.path, folder / forgotten.path, unfinished):
        _age(path, now - timedelta(days=3))
    swept = lake.sweep(ACME, named=frozenset({named.path}), older_than=now - timedelta(days=2))
    assert swept == 2
    assert _files(tmp_path) == sorted(f"{ACME}/{one.path}" for one in (named, young))


def test_the_sweep_stays_with_the_tenant(lake: Lake, scene: Path) -> None:
    for path in scene.rglob("*.parquet"):
        _age(path, datetime.now(tz=UTC) - timedelta(days=3))
    neighbours = sorted((scene / _T10).rglob("*"))
    assert lake.sweep(_T1, named=frozenset(), older_than=datetime.now(tz=UTC) - timedelta(days=2)) == 1
    assert sorted((scene / _T10).rglob("*")) == neighbours


def test_rows_written_again_are_young_again(lake: Lake, tmp_path: Path) -> None:
    """A sweep must not take the file that a commit is about to name because an earlier run wrote it once."""
    now = datetime.now(tz=UTC)
    segment = lake.write(tenant=ACME, table=_TABLE, rows=make_rows("1"))
    _age(tmp_path / "lake" / ACME / segment.path, now - timedelta(days=3))
    lake.write(tenant=ACME, table=_TABLE, rows=make_rows("1"))
    assert lake.sweep(ACME, named=frozenset(), older_than=now - timedelta(days=2)) == 0


def _age(path: Path, instant: datetime) -> None:
    os.utime(path, (instant.timestamp(), instant.timestamp()), follow_symlinks=False)


def test_a_segment_that_was_never_written_is_an_error(lake: Lake) -> None:
    with pytest.raises(duckdb.Error):
        lake.read(tenant=ACME, segments=[make_segment("gone")])
