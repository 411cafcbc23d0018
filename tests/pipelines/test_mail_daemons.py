"""Two real daemons on one Dagster home, over the mornings on which a Friday's mail is due: each mail once.

Dagster does not support two daemons on one home and does not prevent them. What happens is what the test asserts: each says that
there is another one and goes on, both ask `mail_due`, both launch runs. A home gives them a queue in common and no lock, so that
a run may even be launched twice; the claim of a mail's row is what keeps its reader from a second mail.
"""

import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import count
from pathlib import Path

import dagster as dg
import pytest

from assets.mailing import morning, queue_digest
from pipelines.mail_job import send_mail
from resources.installation import Installation
from resources.mail.outbox_rows import OutboxRow
from resources.mail.tables import of_tenant
from resources.settings import Settings
from resources.tenants import Tenant
from tests.conftest import FRIDAY, FRIDAY_MORNING
from tests.daemons import Daemon, furnish_home
from tests.moved_clock import AHEAD, MovedClock
from tests.pipelines.published_digests import publish_digest
from tests.resources.mail_builders import published_parts
from tests.resources.mail_server import PASSWORD, MailServer, mail_server, make_certificates

#: Each run is a process that loads Dagster. The claim of a row has its sample in `tests/resources/test_mail_kills.py`.
pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

_TENANTS = ("acme", "bolt", "cord", "dune", "elmo", "fern")
#: Where readers have their Friday morning, one after the other; of each tenant one reader in each, and the firm's in the second.
_MORNINGS = (
    "America/Halifax",
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Los_Angeles",
    "America/Anchorage",
    "Pacific/Honolulu",
)
_FIRM = "books@oak.example"
#: On so many mornings two runs have to hand over mail at the same moment.
_MEETINGS = 2
#: A sender is kept waiting for another one for less than it waits for an answer itself.
_PATIENCE, _ANSWER = 40.0, 60.0
_LONGEST = 120.0
_UNDER_WAY = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]
_TICKED = re.compile(r"Checking for new runs for sensor: mail_due\b")
_LAUNCHED = re.compile(r"Launched [1-9]\d* runs")
_NOT_ALONE = re.compile(r"Another \w+ daemon is still sending heartbeats")


@dataclass(slots=True, kw_only=True)
class Race:
    """A firm's tenants, two daemons, and a server that can keep whoever comes waiting."""

    office: Installation
    clock: MovedClock
    server: MailServer
    tenants: Sequence[Tenant]
    instance: dg.DagsterInstance
    environment: dict[str, str]
    home: Path
    logs: Sequence[Path]
    gate: threading.Event = field(default_factory=threading.Event)
    readings: Iterator[int] = field(default_factory=lambda: count(1))

    def rows(self) -> list[OutboxRow]:
        return [row for one in self.tenants for row in self.office.outbox.rows(of_tenant(one.tenant_id))]

    def watch(self, stage: str) -> None:
        """In the server's thread: nobody gets further than the greeting while the gate is closed."""
        if stage == "ehlo":
            self.gate.wait(_PATIENCE + 10)
        if stage == "content":
            time.sleep(0.05)  # several mails later both senders are still there

    def said(self, what: re.Pattern[str]) -> list[bool]:
        """Of each daemon, whether its log says so."""
        return [what.search(log.read_text()) is not None for log in self.logs]

    def asked_for(self) -> int:
        """How many runs `mail_due` has asked for."""
        wanted = dg.RunsFilter(job_name=send_mail.name, tags={"dagster/sensor_name": "mail_due"})
        return self.instance.get_runs_count(wanted)

    def under_way(self) -> int:
        return self.instance.get_runs_count(dg.RunsFilter(job_name=send_mail.name, statuses=_UNDER_WAY))

    def in_hand(self) -> int:
        """How many mails a sender has claimed and not settled."""
        return sum(row.state == "sending" for row in self.rows())

    def is_over(self) -> bool:
        """Whether nothing is due and nobody sends; of a run that was launched twice one process may outlive the run."""
        return not (self.office.outbox.due() or self.in_hand() or self.under_way())

    def launch_again(self) -> None:
        """One more run of the job, as a person launches it."""
        dagster = str(Path(sys.executable).parent / "dagster")
        command = [dagster, "job", "launch", "-w", str(self.home / "workspace.yaml"), "-j", send_mail.name]
        done = subprocess.run(
            command, check=False, env=self.environment, capture_output=True, text=True, timeout=_LONGEST
        )
        assert done.returncode == 0, done.stderr

    def publish_again(self) -> None:
        """The week of every tenant is made again from newer books, and queued as its asset does."""
        number = next(self.readings)
        for one in self.tenants:
            made = publish_digest(self.office, one, at=FRIDAY_MORNING + timedelta(minutes=number))
            self.office.documents.publish(replace(made, title=f"{made.title} ({number})"))
            queue_digest(self.office, one, week_ending=FRIDAY)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[MailServer]:
    with mail_server(make_certificates(tmp_path)) as running:
        yield running


@pytest.fixture
def race(
    bare_installation: Installation, server: MailServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Race]:
    """Digests are published and queued before the first morning, and both daemons ask for what is due."""
    clock = MovedClock(tmp_path / "ahead")
    clock.move_to(morning(FRIDAY, zone=_MORNINGS[0]) - timedelta(minutes=20))
    data, mail = bare_installation.settings.data_dir, server.settings(timeout_seconds=_ANSWER)
    home = tmp_path / "dagster"
    home.mkdir()
    environment = furnish_home(
        home,
        definitions="tests.pipelines.mail_daemon_definitions",
        settings={
            "RUNWAY_DATA_DIR": str(data),
            "RUNWAY_QBO_LOCAL_URL": "http://127.0.0.1:1",
            "RUNWAY_QBO_RETRY_SECONDS": "0",
            **{f"RUNWAY_MAIL__{name.upper()}": str(value) for name, value in dict(mail).items()},
            "RUNWAY_MAIL__PASSWORD": PASSWORD,
            AHEAD: str(tmp_path / "ahead"),
        },
    )
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    with ExitStack() as ended:
        office = Installation(Settings(data_dir=data, mail=mail), clock=clock)
        ended.callback(office.close)
        opened = Race(
            office=office,
            clock=clock,
            server=server,
            tenants=_tenants(office),
            instance=ended.enter_context(dg.DagsterInstance.from_config(str(home))),
            environment=environment,
            home=home,
            logs=[tmp_path / f"daemon-{number}.log" for number in range(2)],
        )
        for one in opened.tenants:
            publish_digest(office, one)
            queue_digest(office, one, week_ending=FRIDAY)
        server.watch = opened.watch
        ended.callback(opened.gate.set)
        for log in opened.logs:
            ended.callback(Daemon(home, environment, log=log).end)
        _wait(lambda: all(opened.said(_TICKED)), what="both daemons ask for mail that is due")
        yield opened


def _tenants(office: Installation) -> list[Tenant]:
    office.registry.add_firm("oak", name="Oak")
    tenants = []
    for name in _TENANTS:
        tenant = office.registry.add_tenant(name, firm_id="oak", name=f"{name} canary-{name}", zone="America/New_York")
        owner = of_tenant(tenant.tenant_id)
        office.recipients.set_mode(owner, "live", author="ann")
        readers = [(f"reader-{number}@{name}.example", zone) for number, zone in enumerate(_MORNINGS)]
        for address, zone in [*readers, (_FIRM, _MORNINGS[1])]:
            office.recipients.add(
                owner,
                address=address,
                name="",
                role="firm" if address == _FIRM else "client",
                locale="en-US" if address == _FIRM else "en-GB",
                zone=zone,
                currency_format="symbol",
                author="ann",
            )
        tenants.append(tenant)
    return tenants


def test_two_daemons_on_one_home_send_each_mail_once(race: Race) -> None:
    """Until two runs have met often enough and each daemon has launched some; what is left is due at the last morning, at once."""
    *mornings, last = _MORNINGS
    meetings = 0
    for zone in mornings:
        meetings += _a_morning(race, zone)
        if meetings >= _MEETINGS and all(race.said(_LAUNCHED)):
            break
    meetings += _a_morning(race, last)
    rows = race.rows()
    assert len(rows) == len(_TENANTS) * (len(_MORNINGS) + 1)
    assert {row.state for row in rows} == {"sent"}
    assert race.server.copies() == {row.message_token: 1 for row in rows}
    _assert_nothing_of_others(race, rows)
    assert meetings >= _MEETINGS, "two runs were to hand over mail at the same moment"
    assert race.said(_LAUNCHED) == [True, True], "both daemons launch runs"
    assert race.said(_NOT_ALONE) == [True, True], "each notices the other one and goes on"


def _a_morning(race: Race, zone: str) -> bool:
    """Mail becomes due, the sensor's run and one more meet, the weeks are made again; whether both had a mail in hand."""
    race.gate.clear()
    asked, queued = race.asked_for(), len(race.rows())
    race.clock.move_to(morning(FRIDAY, zone=zone) - timedelta(seconds=3))
    _wait(lambda: race.asked_for() > asked, what=f"a daemon asks for the mail of {zone}")
    race.launch_again()
    have_met = _is_soon(lambda: race.in_hand() > 1)
    race.publish_again()
    race.gate.set()
    _wait(race.is_over, what=f"the mail of {zone} has left")
    assert len(race.rows()) == queued, "a week that is made again queues no other mail"
    copies = race.server.copies()
    assert {row.message_token: copies[row.message_token] for row in race.rows() if copies[row.message_token] > 1} == {}
    return have_met


def _assert_nothing_of_others(race: Race, rows: Sequence[OutboxRow]) -> None:
    """Each mail is its reader's, and shows the canary of its own tenant alone."""
    by_token = {row.message_token: row.row_key for row in rows}
    for message in race.server.messages:
        row_key = by_token[str(message["Message-ID"]).strip("<>").partition("@")[0]]
        shown = "\n".join((str(message["Subject"]), *published_parts(message)))
        assert [one for one in _TENANTS if f"canary-{one}" in shown] == [row_key.owner.owner_id]
        assert message["To"].addresses[0].addr_spec == row_key.address


def _is_soon(is_so: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + _PATIENCE
    while not is_so():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def _wait(is_so: Callable[[], bool], *, what: str) -> None:
    deadline = time.monotonic() + _LONGEST
    while not is_so():
        assert time.monotonic() < deadline, f"not within {_LONGEST:.0f} seconds: {what}"
        time.sleep(0.2)
