"""Senders that die on the way, each a process of its own, and what is left of their mails.

A module of its own, so that the process others are forked from has it loaded.
"""

import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

from resources.failpoints import arm
from resources.mail.outbox_claims import LEASE
from resources.mail.outbox_rows import RowKey
from resources.mail.sender import MAIL_POINTS, POINTS_BEFORE_THE_CONVERSATION
from resources.settings import MailSettings
from tests.processes import exit_code
from tests.resources.mail_builders import ACME, MORNING, OF_OAK, Post, open_post
from tests.resources.mail_server import MailServer

#: Points at which the server has the mail, whatever the sender knows.
POINTS_WITH_THE_SERVER = ("mail.answered", "mail.record.in")
_KILLED = -9
#: So many wait whenever a sender begins: none waits so long that its time is over.
_WAITING = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What a campaign came to; every list is empty if nothing was wrong."""

    kills: int
    mails: int
    sent: int
    unknown: int
    unknown_that_arrived: int
    kills_by_point: dict[str, int]
    sent_twice: list[str]
    not_sent: list[str]
    wrong_state: list[str]

    @property
    def is_clean(self) -> bool:
        return not (self.sent_twice or self.not_sent or self.wrong_state)


def die_on_the_way(path: Path, now: datetime, settings: MailSettings, point: str, hit: int) -> None:
    """The work of a sender that does not live to its end."""
    arm(point, hit=hit)
    drain(path, now, settings)


def drain(path: Path, now: datetime, settings: MailSettings) -> None:
    """The work of a sender that does."""
    post = open_post(path, now=now, settings=settings)
    with closing(post.database):
        post.mailer().drain()


def drain_at_once(_number: int, path: Path, now: datetime, settings: MailSettings) -> None:
    """One of several senders at the same moment."""
    drain(path, now, settings)


def campaign(
    folder: Path,
    migrated: Path,
    server: MailServer,
    *,
    kills: int,
    seed: int,
    after_kill: Callable[[], None] = lambda: None,
) -> Tally:
    """Kill so many senders at points drawn from the seed, then let one live; count what arrived."""
    path = folder / "killed.sqlite"
    shutil.copyfile(migrated, path)
    settings = server.settings()
    random = Random(seed)  # noqa: S311 - a seed that is printed
    post = open_post(path, now=MORNING, settings=settings)
    with closing(post.database):
        post.recipient(post.tenant())
        post.recipient(OF_OAK)
        post.recipients.set_mode(OF_OAK, "live", author="ann")
        queued: list[RowKey] = []
        open_rows: list[RowKey] = []
        lost_inside: dict[RowKey, str] = {}
        points: Counter[str] = Counter()
        while points.total() < kills:
            while len(open_rows) < _WAITING:
                # A tenant's and its firm's by turns: they share the sender and nothing else.
                fresh = post.queue((ACME, OF_OAK)[len(queued) % 2], key=f"mail {len(queued):05d}")
                queued.append(fresh)
                open_rows.append(fresh)
            point, hit = random.choice(list(MAIL_POINTS)), random.randint(1, _WAITING)
            ended = exit_code(die_on_the_way, path, post.clock.now(), settings, point, hit)
            assert ended == _KILLED, f"the sender was to die at passage {hit} of {point} and ended with {ended}"
            points[point] += 1
            after_kill()
            open_rows = [one for one in open_rows if post.row(one).state in ("queued", "sending")]
            lost_inside |= _lost_inside(post, open_rows, point)
            open_rows = [one for one in open_rows if one not in lost_inside]
            # The next one finds the lease of this one over.
            post.later(seconds=(LEASE + timedelta(minutes=1)).total_seconds())
        drain(path, post.clock.now(), settings)
        return _tally(post, server, queued, lost_inside, points)


def _lost_inside(post: Post, rows: Sequence[RowKey], point: str) -> dict[RowKey, str]:
    """The mail in whose conversation a sender died, by its point."""
    if point in (*POINTS_BEFORE_THE_CONVERSATION, "mail.recorded"):
        return {}
    sending = [one for one in rows if post.row(one).state == "sending"]
    assert len(sending) == 1, f"a sender that died at {point} has one mail"
    return {sending[0]: point}


def _tally(
    post: Post, server: MailServer, queued: Sequence[RowKey], lost_inside: dict[RowKey, str], points: Counter[str]
) -> Tally:
    copies = server.copies()
    arrived = {one: copies[post.row(one).message_token] for one in queued}
    states = {one: post.row(one).state for one in queued}
    expected = {one: "unknown" if one in lost_inside else "sent" for one in queued}
    with_the_server = {one for one, point in lost_inside.items() if point in POINTS_WITH_THE_SERVER}
    must_arrive = {one for one in queued if one not in lost_inside} | with_the_server
    return Tally(
        kills=points.total(),
        mails=len(queued),
        sent=sum(state == "sent" for state in states.values()),
        unknown=sum(state == "unknown" for state in states.values()),
        unknown_that_arrived=sum(arrived[one] for one in lost_inside),
        kills_by_point=dict(sorted(points.items())),
        sent_twice=[f"{one.owner} {one.key}" for one in queued if arrived[one] > 1],
        not_sent=[f"{one.owner} {one.key}" for one in queued if one in must_arrive and arrived[one] == 0],
        wrong_state=[f"{one.owner} {one.key}: {states[one]}" for one in queued if states[one] != expected[one]],
    )
