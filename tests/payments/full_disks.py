"""Trials on a disk that is full: work at the desk and runs of a batch fail in the middle, and go on when there is room again.

Belongs here: three ways to have a full disk, plans, playing them. Does not: judging.

    pages       SQLite itself allows the database no more pages
    file size   the system lets the process write no file beyond a size (RLIMIT_FSIZE)
    disk        the folder is a small file system of its own (tmpfs), filled up; only where one may be mounted
"""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

from payments.store.batch_tables import BATCH
from payments.store.invariants import broken_invariants
from payments.store.tables import REQUEST
from tests.payments.desk_work import answered
from tests.payments.judging import judge_batches
from tests.payments.scene import Scene
from tests.payments.zygote import FULL

_TMPFS_BYTES = 96 * 1024 * 1024
_WAYS = ("pages", "file size", "disk")


@contextmanager
def small_disk(folder: Path) -> Iterator[bool]:
    """A file system of its own in an empty folder; False, and nothing done, where that is not allowed."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={_TMPFS_BYTES},mode=0700", "tmpfs", str(folder)]
    mount = shutil.which("mount")
    is_mounted = mount is not None and subprocess.run(command, capture_output=True, check=False).returncode == 0
    try:
        yield is_mounted
    finally:
        if is_mounted:
            subprocess.run(["umount", "--lazy", str(folder)], capture_output=True, check=False)


def play_full_disk(scene: Scene, seed: int) -> None:
    """The trial of a seed, judged."""
    dice = Random(seed)  # noqa: S311 - a reproducible plan
    way = _WAYS[seed % len(_WAYS)]
    if way == "disk" and not scene.folder.is_mount():
        way = _WAYS[seed // len(_WAYS) % 2]
    _Full(scene, seed, way, dice).go()


class _Full:
    def __init__(self, scene: Scene, seed: int, way: str, dice: Random) -> None:
        self._scene, self._seed, self._way, self._dice = scene, seed, way, dice
        self._since, self._office = scene.server_time(), scene.begin()

    def go(self) -> None:
        scene, office = self._scene, self._office
        scene.company.settings(request_ids=self._dice.choice(("ignored", "honoured", "answers_6000")))
        bills = office.enter("100.00", "200.00")
        account = scene.company.bank
        wanted = [{"bill_id": bill, "account_id": account, "amount_cents": 5_000} for bill in bills]
        work = [
            *({"verb": "approve", "key": f"approve {one['bill_id']}", **one} for one in wanted),
            *({"verb": "stage", "key": f"stage {one['bill_id']}", **one} for one in wanted),
            *({"verb": "pay_now", "key": f"decide {one['bill_id']}", **one} for one in wanted),
            {"verb": "finalize", "key": "finalize", "decided_by": [f"decide {bill}" for bill in bills]},
        ]
        self._without_room(work=work)
        self._compare()
        scene.note(scene.zygote.run(work=work))
        self._compare()
        (batch,) = [row["batch_id"] for row in office.rows(BATCH)]
        for _ in range(self._dice.choice((1, 2))):
            self._without_room(batch_id=batch)
            scene.pass_time(batch)
        scene.settle(batch)
        judge_batches(scene, batch, trial=f"full disk {self._seed}", since=self._since, may_be_reviewed=False)
        scene.counts.more[f"full: {self._way}"] += 1
        scene.end()

    def _without_room(self, **what: Any) -> None:
        """A process that finds no room after a while."""
        scene = self._scene
        ballast = scene.folder / "ballast"
        if self._way == "pages":
            with scene.opened.database.read() as connection:
                pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
            what["pages"] = pages + self._dice.randrange(4)
        elif self._way == "file size":
            what["file_bytes"] = self._dice.randrange(4_096, 200_000)
        else:
            room = shutil.disk_usage(scene.folder).free - self._dice.randrange(0, 160_000)
            with ballast.open("wb") as file:
                file.write(bytes(room))
        ended = scene.zygote.run(**what, may_be_full=True)
        ballast.unlink(missing_ok=True)
        scene.note(ended)
        scene.counts.more["runs that found no room"] += ended == f"exited {FULL}"

    def _compare(self) -> None:
        office, wrong = self._office, self._scene.counts.wrong
        kept = {row["request_key"] for row in office.rows(REQUEST)}
        wrong += [f"full disk {self._seed}: LOST: {key}" for key in answered(self._scene.journal) if key not in kept]
        with office.ledger.look(office.tenant) as look:
            wrong += [f"full disk {self._seed}: {one}" for one in broken_invariants(look)]
