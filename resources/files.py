"""Files that are there whole or not at all.

Belongs here: writing by rename, folders and files private to their owner. Does not: the lake's segments (`resources/lake.py`).
"""

import os
import uuid
from pathlib import Path


def write_whole(path: Path, text: str) -> None:
    """Put a text file in place in one step; the same text again leaves the file untouched."""
    private_folder(path.parent)
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    unfinished = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(path)
    except BaseException:
        unfinished.unlink()
        raise
    sync_folder(path.parent)


def private_folder(folder: Path) -> None:
    """Make a folder and what is missing above it, each for its owner alone (`mkdir(mode=)` guards only the last one)."""
    if folder.is_dir():
        return
    private_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)


def sync_folder(folder: Path) -> None:
    """Make a folder's entries durable: a rename survives a power failure only after this."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
