"""Checkpoints: years of nightly syncs are read as cheaply as one, and nothing of what is kept changes by them."""

from datetime import timedelta
from pathlib import Path

import pytest

from resources.commits import LeaseLost, Sync
from resources.qbo.checkpoints import CheckpointDiffers, write_checkpoint
from resources.qbo.history import versions
from resources.qbo.sync_policy import SyncPolicy
from tests.resources.qbo.house import TENANT, House
from tests.resources.qbo.scripted_qbo import ScriptedQbo

_BILLS = "raw_qbo/bills"
_OFTEN = SyncPolicy(most_segments=3)


def _nights(house: House, qbo: ScriptedQbo, count: int) -> list[Sync]:
    """So many nightly syncs, in each of which one bill was edited; the commits."""
    synced = []
    for night in range(count):
        house.clock.sleep(86_400)
        qbo.time = (house.clock.now() + timedelta(seconds=1)).isoformat()
        qbo.books.now = house.clock.now()
        qbo.books.replace("Bill", "1", Balance=night)
        house.smart_sync(policy=_OFTEN).sync(TENANT)
        synced.append(house.newest())
    return synced


def _told(house: House, sync: Sync) -> list[tuple[str, str]]:
    """Every version of a bill as known after a sync."""
    segments = house.commits.history(TENANT, table=_BILLS, up_to=sync)
    with house.lake.open(TENANT) as opened:
        found = versions(opened, segments, entity="Bill", until=sync.data_as_of)
        return [(known_at.isoformat(), repr(one)) for known_at, one in found]


@pytest.fixture
def first(house: House, qbo: ScriptedQbo) -> Sync:
    for number in range(3):
        qbo.books.add("Bill", str(number))
    house.smart_sync(policy=_OFTEN).sync(TENANT)
    return house.newest()


def test_many_nights_leave_few_segments_to_read_and_every_version(house: House, qbo: ScriptedQbo, first: Sync) -> None:
    synced = _nights(house, qbo, 12)
    assert len(house.commits.history(TENANT, table=_BILLS, up_to=synced[-1])) <= _OFTEN.most_segments + 1
    assert len(_told(house, synced[-1])) == 3 + 12


def test_a_past_sync_is_told_the_same_before_and_after_a_checkpoint(
    house: House, qbo: ScriptedQbo, first: Sync
) -> None:
    early = _nights(house, qbo, 2)
    before = [_told(house, sync) for sync in (first, *early)]
    _nights(house, qbo, 12)
    assert [_told(house, sync) for sync in (first, *early)] == before


def test_the_segments_a_checkpoint_stands_for_are_kept_and_older_checkpoints_swept(
    house: House, qbo: ScriptedQbo, first: Sync, tmp_path: Path
) -> None:
    _nights(house, qbo, 12)
    named = house.commits.named_paths(TENANT)
    bills = [path for path in named if path.startswith(_BILLS)]
    # One of the first read, one a night, and two checkpoints: a run may still read the one before the newest.
    assert len(bills) == 1 + 12 + 2
    later = house.clock.now() + timedelta(days=3650)
    assert house.lake.sweep(TENANT, named=named, older_than=later) > 0
    assert len(_told(house, house.newest())) == 3 + 12


def test_a_checkpoint_that_does_not_hold_the_same_rows_is_refused(
    house: House, qbo: ScriptedQbo, first: Sync, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that gives back other bytes than it was given: the only way to have one is to write them ourselves."""
    _nights(house, qbo, 2)
    segments = house.commits.history(TENANT, table=_BILLS, up_to=house.newest())
    with house.lake.open(TENANT) as opened:
        read = opened.row_groups
        calls = iter([read(segments), read(segments[:1])])
        monkeypatch.setattr(opened, "row_groups", lambda _: next(calls))
        with pytest.raises(CheckpointDiffers, match=r"3 rows that differ from the 5"):
            write_checkpoint(house.lake, opened, tenant=TENANT, segments=segments, beat=lambda: None)


def test_a_writer_that_lost_its_lease_commits_no_checkpoint(house: House, qbo: ScriptedQbo, first: Sync) -> None:
    _nights(house, qbo, 2)
    newest = house.newest()
    segments = house.commits.history(TENANT, table=_BILLS, up_to=newest)
    with house.commits.lease(TENANT) as lease, house.lake.open(TENANT) as opened:
        written = write_checkpoint(house.lake, opened, tenant=TENANT, segments=segments, beat=lambda: None)
        house.clock.sleep(3600)
        with house.commits.lease(TENANT), pytest.raises(LeaseLost):
            house.commits.commit_checkpoint(lease, up_to=newest, segment=written)
    assert house.commits.history(TENANT, table=_BILLS, up_to=newest) == segments
