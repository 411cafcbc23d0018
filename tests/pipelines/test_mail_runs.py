"""Runs of Dagster that send mail and are killed: never two mails, one for each that was not being handed over."""

import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from resources.clock import FixedClock
from resources.installation import Installation
from resources.mail.outbox_claims import LEASE
from resources.mail.outbox_rows import RowKey
from resources.mail.sender import MAIL_POINTS, POINTS_BEFORE_THE_CONVERSATION
from resources.mail.tables import of_tenant
from resources.tenants import tenant_id
from tests.pipelines.mail_runs import run, run_and_die
from tests.processes import at_once, exit_code
from tests.resources.mail_builders import make_content
from tests.resources.mail_server import MailServer, mail_server, make_certificates

#: Every run is a process that loads Dagster: the sample of this check is `tests/resources/test_mail_kills.py`.
pytestmark = [pytest.mark.long, pytest.mark.timeout(1800)]

_SEED = 20_261_120
_ANN = "ann@acme.example"
_KILLED = -9
_KILLS = 40


@pytest.fixture
def server(tmp_path: Path) -> Iterator[MailServer]:
    with mail_server(make_certificates(tmp_path)) as running:
        yield running


@pytest.fixture
def office(bare_installation: Installation) -> Installation:
    bare_installation.registry.add_firm("oak", name="Oak")
    acme = bare_installation.registry.add_tenant("acme", firm_id="oak", name="Acme", zone="America/New_York")
    bare_installation.recipients.set_mode(of_tenant(acme.tenant_id), "live", author="ann")
    bare_installation.recipients.add(
        of_tenant(acme.tenant_id),
        address=_ANN,
        name="Ann",
        role="client",
        locale="en-GB",
        zone=acme.zone,
        currency_format="symbol",
        author="ann",
    )
    return bare_installation


def _queue(office: Installation, number: int) -> RowKey:
    row_key = RowKey(owner=of_tenant(tenant_id("acme")), kind="friday_digest", key=f"mail {number:03d}", address=_ANN)
    now = office.clock.now()
    office.outbox.enqueue(row_key, make_content(), due_at=now, expires_at=now + timedelta(days=3))
    return row_key


def _copies(office: Installation, server: MailServer, row_key: RowKey) -> int:
    row = office.outbox.row(row_key)
    assert row is not None
    return server.copies()[row.message_token]


def test_a_killed_run_leaves_no_mail_that_is_sent_twice_and_none_that_is_forgotten(
    office: Installation, server: MailServer, clock: FixedClock, tmp_path: Path
) -> None:
    sys.stdout.write(f"seed {_SEED}\n")
    random = Random(_SEED)  # noqa: S311 - a seed that is printed
    data, home, settings = office.settings.data_dir, tmp_path / "dagster", server.settings()
    home.mkdir()
    inside: set[RowKey] = set()
    queued = []
    for number in range(_KILLS):
        queued.append(_queue(office, number))
        point = random.choice(list(MAIL_POINTS))
        assert exit_code(run_and_die, data, home, clock.now(), settings, point) == _KILLED, point
        if point not in (*POINTS_BEFORE_THE_CONVERSATION, "mail.recorded"):
            rows = [row for row in office.outbox.rows(of_tenant(tenant_id("acme"))) if row.state == "sending"]
            inside |= {row.row_key for row in rows}
        clock.move_to(clock.now() + LEASE + timedelta(minutes=1))
    run(data, home, clock.now(), settings)
    for row_key in queued:
        row, copies = office.outbox.row(row_key), _copies(office, server, row_key)
        assert row is not None
        assert copies <= 1, row_key
        expected = ("unknown", copies) if row_key in inside else ("sent", 1)
        assert (row.state, copies) == expected, row_key


def test_two_runs_at_once_on_homes_of_their_own_send_each_mail_once(
    office: Installation, server: MailServer, clock: FixedClock, tmp_path: Path
) -> None:
    queued = [_queue(office, number) for number in range(10)]
    homes = [tmp_path / f"dagster-{number}" for number in range(2)]
    for home in homes:
        home.mkdir()
    at_once(2, _one_of_two, office.settings.data_dir, homes, clock.now(), server.settings())
    assert [_copies(office, server, one) for one in queued] == [1] * len(queued)


def _one_of_two(number: int, data: Path, homes: list[Path], *arguments: object) -> None:
    run(data, homes[number], *arguments)  # type: ignore[arg-type]  # as they were given to at_once
