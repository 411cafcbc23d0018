"""Senders that are killed or stand still at every point of sending, and several at once: never two mails."""

import shutil
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import pytest

from resources.failpoints import arm, disarm
from resources.mail.outbox_claims import LEASE
from resources.mail.sender import MAIL_POINTS
from tests.processes import at_once
from tests.resources.mail_builders import MORNING, Post, open_post
from tests.resources.mail_kills import campaign, drain_at_once
from tests.resources.mail_server import Certificates, MailServer, mail_server, make_certificates

_SEED = 20_261_120
_SAMPLE = 12
_LONG = 400


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def server(certificates: Certificates) -> Iterator[MailServer]:
    with mail_server(certificates) as running:
        yield running


@pytest.fixture
def post(server: MailServer, migrated_file: Path, tmp_path: Path) -> Iterator[Post]:
    shutil.copyfile(migrated_file, tmp_path / "mail.sqlite")
    opened = open_post(tmp_path / "mail.sqlite", now=MORNING, settings=server.settings())
    with closing(opened.database):
        opened.recipient(opened.tenant())
        try:
            yield opened
        finally:
            disarm()


@pytest.mark.parametrize("kills", [_SAMPLE, pytest.param(_LONG, marks=[pytest.mark.long, pytest.mark.timeout(1800)])])
def test_killed_anywhere_no_mail_is_sent_twice_and_each_that_was_not_being_handed_over_once(
    tmp_path: Path, migrated_file: Path, server: MailServer, kills: int
) -> None:
    sys.stdout.write(f"seed {_SEED}\n")
    tally = campaign(tmp_path, migrated_file, server, kills=kills, seed=_SEED)
    assert tally.is_clean, asdict(tally)
    assert tally.kills == kills
    assert tally.sent + tally.unknown == tally.mails


def test_several_senders_at_once_send_each_mail_once(post: Post, server: MailServer, tmp_path: Path) -> None:
    keys = [post.queue(key=f"week {number:02d}") for number in range(20)]
    at_once(3, drain_at_once, tmp_path / "mail.sqlite", MORNING, post.settings)
    assert {post.row(one).state for one in keys} == {"sent"}
    assert server.copies() == {post.row(one).message_token: 1 for one in keys}


@pytest.mark.parametrize("point", [one for one in MAIL_POINTS if not one.endswith(".in")])
def test_a_sender_that_stood_still_past_its_lease_does_not_send_what_another_has_dealt_with(
    post: Post, server: MailServer, point: str
) -> None:
    """The other one sweeps and drains while the first stands still at the point; then the first goes on."""
    row_key = post.queue()

    def stand_still() -> None:
        disarm()
        post.later(seconds=LEASE.total_seconds() + 1)
        post.mailer().drain()

    arm(point, action=stand_still)
    post.mailer().drain()
    post.later(days=1)
    post.mailer().drain()
    state, copies = post.row(row_key).state, server.copies()[post.row(row_key).message_token]
    assert copies <= 1
    assert (state, copies) in {("sent", 1), ("unknown", 0), ("unknown", 1)}
    if point in ("mail.claimed", "mail.connected", "mail.recorded"):
        assert (state, copies) == ("sent", 1)
    if point in ("mail.begun", "mail.sender_taken", "mail.recipient_taken", "mail.content_asked"):
        assert (state, copies) == ("unknown", 0), "the look at the clock kept the content back"
