"""Files that are there whole or not at all."""

import os
import stat
from pathlib import Path

import pytest

from resources.files import private_folder, write_whole
from tests.processes import at_once

_LONG = 200_000


def test_a_text_is_written_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "digest.txt"
    write_whole(path, "Zürich 1\n")
    write_whole(path, "Zürich 2\n")
    assert path.read_text(encoding="utf-8") == "Zürich 2\n"
    assert [one.name for one in path.parent.iterdir()] == ["digest.txt"]


def test_file_and_folders_are_their_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "digest.txt"
    write_whole(path, "x")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in (path.parent, path.parent.parent)} == {0o700}


def test_a_folder_that_is_there_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    private_folder(tmp_path)
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


def test_the_same_text_again_leaves_the_file_untouched(tmp_path: Path) -> None:
    path = tmp_path / "digest.txt"
    write_whole(path, "x")
    before = path.stat()
    write_whole(path, "x")
    after = path.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_write_that_breaks_off_leaves_the_earlier_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "digest.txt"
    write_whole(path, "earlier")

    def fail(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space"):
        write_whole(path, "later")
    assert path.read_text(encoding="utf-8") == "earlier"
    assert [one.name for one in tmp_path.iterdir()] == ["digest.txt"]


def test_of_two_processes_that_write_at_once_one_wins_wholly(tmp_path: Path) -> None:
    path = tmp_path / "digest.txt"
    at_once(2, _write_often, path)
    assert path.read_text(encoding="utf-8") in {str(number) * _LONG for number in range(2)}
    assert [one.name for one in tmp_path.iterdir()] == ["digest.txt"]


def _write_often(number: int, path: Path) -> None:
    for _ in range(5):
        write_whole(path, str(number) * _LONG)
        assert len(set(path.read_text(encoding="utf-8"))) == 1
