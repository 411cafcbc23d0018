"""What the machine knows beside the ledger: how long ago it really sent, and whether the ledger has forgotten something since."""

import shutil
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from payments.sending.machine_memory import MachineMemory, too_late
from payments.store.ledger import Ledger
from resources.clock import FixedClock, SystemClock, Uptime
from resources.database import Database
from tests.conftest import FRIDAY_MORNING
from tests.payments.desk import Desk
from tests.resources.builders import ACME

_SETTLE = timedelta(minutes=4)


@dataclass
class _Machine(FixedClock):
    """A clock whose machine can be started again."""

    boots: list[str] = field(default_factory=lambda: ["first"])
    started: float = 0.0

    def __post_init__(self) -> None:
        super().__init__(FRIDAY_MORNING)

    def uptime(self) -> Uptime | None:
        up = super().uptime()
        assert up is not None
        return Uptime(self.boots[-1], up.seconds - self.started)

    def start_again(self) -> None:
        up = super().uptime()
        assert up is not None
        self.boots.append(f"boot {len(self.boots)}")
        self.started = up.seconds


@pytest.fixture
def machine() -> _Machine:
    return _Machine()


@pytest.fixture
def memory(tmp_path: Path, machine: _Machine) -> MachineMemory:
    return MachineMemory(folder=tmp_path / "machine", clock=machine)


def _left(memory: MachineMemory, machine: _Machine, *, sent_at: datetime, attempts: int = 1) -> timedelta:
    """How long a send has still to settle."""
    intent = {"intent_id": "i1", "attempts": attempts, "sent_at": sent_at}
    return memory.settled_at(ACME, intent, settle=_SETTLE) - machine.now()


@pytest.mark.parametrize("minutes", [-60, 5, 60])
def test_a_clock_that_is_set_changes_nothing_about_how_long_ago_a_payment_was_sent(
    memory: MachineMemory, machine: _Machine, minutes: int
) -> None:
    sent_at = machine.now()
    memory.note_send(ACME, "i1", number=1)
    machine.set_by_hand(timedelta(minutes=minutes))
    assert _left(memory, machine, sent_at=sent_at) == _SETTLE
    machine.sleep(200)
    assert _left(memory, machine, sent_at=sent_at) == timedelta(seconds=40)


def test_a_machine_that_was_started_again_waits_by_its_clock_and_by_its_own_age(
    memory: MachineMemory, machine: _Machine
) -> None:
    sent_at = machine.now()
    memory.note_send(ACME, "i1", number=1)
    machine.start_again()
    machine.set_by_hand(timedelta(hours=1))
    machine.sleep(100)
    assert _left(memory, machine, sent_at=sent_at) == timedelta(seconds=140)


def test_a_send_of_another_machine_is_as_old_as_the_clock_says(memory: MachineMemory, machine: _Machine) -> None:
    memory.note_send(ACME, "i1", number=1)
    machine.sleep(1_000)
    assert _left(memory, machine, sent_at=machine.now(), attempts=2) == _SETTLE
    memory.forget_send(ACME, "i1")
    assert _left(memory, machine, sent_at=machine.now()) == _SETTLE


def test_a_send_that_was_decided_too_long_ago_is_late_whatever_the_clock_shows(machine: _Machine) -> None:
    decided_at = machine.uptime()
    machine.sleep(11)
    machine.set_by_hand(timedelta(seconds=-11))
    assert too_late(decided_at, machine, window=timedelta(seconds=10))
    assert not too_late(decided_at, machine, window=timedelta(seconds=12))
    assert not too_late(None, machine, window=timedelta())


def test_the_machine_knows_its_own_age() -> None:
    first, second = SystemClock().uptime(), SystemClock().uptime()
    assert first is None or (second is not None and first.boot == second.boot and 0 < first.seconds <= second.seconds)


def test_a_ledger_is_known_as_long_as_it_only_grows(memory: MachineMemory, bare_desk: Desk) -> None:
    assert not memory.knows(bare_desk.ledger, ACME), "never seen"
    memory.note_ledger(bare_desk.ledger, ACME)
    assert memory.knows(bare_desk.ledger, ACME)
    bare_desk.policy(separation_above_cents=1)
    assert memory.knows(bare_desk.ledger, ACME)


def test_a_ledger_that_was_put_back_is_not_known_even_once_it_has_grown_further(
    tmp_path: Path, memory: MachineMemory, machine: _Machine, desk_file: Path
) -> None:
    path, backup = tmp_path / "ledger.sqlite", tmp_path / "backup.sqlite"
    shutil.copyfile(desk_file, path)
    shutil.copyfile(desk_file, backup)
    _work(path, machine, memory, cents=1)
    memory_of_the_content = MachineMemory(folder=tmp_path / "other", clock=machine)
    _work(path, machine, memory_of_the_content, cents=2)
    # The file is written over in place: it is the same one to the machine, and its content is another.
    path.write_bytes(backup.read_bytes())
    for cents in (3, 4, 5):
        _work(path, machine, None, cents=cents)
    database = Database(f"sqlite:///{path}")
    assert not memory_of_the_content.knows(Ledger(database, clock=machine), ACME)
    memory_of_the_content.note_ledger(Ledger(database, clock=machine), ACME)
    assert memory_of_the_content.knows(Ledger(database, clock=machine), ACME)
    database.close()
    # A copy of the very same content in its place is another file.
    shutil.copyfile(path, backup)
    backup.replace(path)
    database = Database(f"sqlite:///{path}")
    assert not memory_of_the_content.knows(Ledger(database, clock=machine), ACME)
    database.close()


def _work(path: Path, machine: _Machine, memory: MachineMemory | None, *, cents: int) -> None:
    database = Database(f"sqlite:///{path}")
    desk = Desk(database, machine, register=False)
    desk.policy(separation_above_cents=cents)
    if memory is not None:
        memory.note_ledger(desk.ledger, ACME)
    database.close()
