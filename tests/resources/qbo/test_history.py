from datetime import timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from resources.lake import Lake
from resources.qbo.history import VERSIONS, NewVersion, living_texts, newest_versions, rows
from tests.resources.qbo.house import NOW, TENANT

_IDS = ("1", "2", "3", "10", "11")
_SYNCS = st.lists(
    st.lists(st.tuples(st.sampled_from(_IDS), st.booleans(), st.integers(0, 3)), unique_by=lambda one: one[0]),
    min_size=1,
    max_size=5,
)


def _version(qbo_id: str, *, is_deleted: bool, note: int) -> NewVersion:
    payload = f'{{"Id": "{qbo_id}", "note": "{note}"}}'
    return NewVersion(
        qbo_id=qbo_id, created_at=NOW, updated_at=None, sync_token="0", is_deleted=is_deleted, payload=payload
    )


@given(syncs=_SYNCS, asked=st.sets(st.sampled_from(_IDS), min_size=1))
@settings(max_examples=25)
def test_some_newest_versions_are_those_of_all(
    tmp_path_factory: object, syncs: list[list[tuple[str, bool, int]]], asked: set[str]
) -> None:
    lake = Lake(Path(tmp_path_factory.mktemp("lake")))  # type: ignore[attr-defined]  # pytest's own factory
    segments = []
    for number, found in enumerate(syncs):
        made = [_version(qbo_id, is_deleted=gone, note=note) for qbo_id, gone, note in found]
        known_at = NOW + timedelta(hours=number)
        with lake.writer(tenant=TENANT, table="raw_qbo/bills", schema=VERSIONS) as writer:
            for version in made:  # several row groups
                writer.append(rows([version], tenant=TENANT, known_at=known_at))
            segments.append(writer.finish())
    with lake.open(TENANT) as opened:
        everything = newest_versions(opened, segments)
        some = newest_versions(opened, segments, ids=sorted(asked))
        texts = living_texts(opened, segments, containing='"note": "2"')
    assert some == {qbo_id: newest for qbo_id, newest in everything.items() if qbo_id in asked}
    assert all(not everything[qbo_id].is_deleted and '"2"' in text for qbo_id, text in texts.items())
