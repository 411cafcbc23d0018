"""Every statement of mail names its tenant or firm; what is rightly across them is listed here."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from sqlalchemy import Engine, event

from resources.clock import FixedClock
from resources.database import Database
from resources.mail.outbox_claims import LEASE
from resources.mail.outbox_rows import RowKey
from resources.mail.tables import FAMILIES, MailOwner, of_firm
from tests.resources.mail_builders import ACME, ANN, BEN, BOLT, OF_ACME, OF_BOLT, OF_OAK, WEEK, Post, make_content

_TABLES = {table.name for tables in FAMILIES for table in tables.all}
#: The beginning of each statement across tenants, with its reason.
_ACROSS_TENANTS = {
    f"{outbox}.{condition}": reason
    for outbox in ("outbox", "firm_outbox")
    for condition, reason in {
        f"state = ? AND {outbox}.due_at <= ?": "the sender's and the sensor's next mail, whosever it is",
        f"state = ? AND {outbox}.lease_until <= ?": "rows of lost senders, whosever they are",
        "message_token = ?": "whose mail a report is about",
    }.items()
}


@contextmanager
def _traced() -> Iterator[list[tuple[str, Any]]]:
    seen: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:  # noqa: FBT001 - SQLAlchemy's signature
        seen.append((re.sub(r"%\(\w+\)s(::\w+(\(\d+\))?)?", "?", " ".join(statement.split())), parameters))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def test_every_statement_of_mail_binds_the_tenant(database: Database, clock: FixedClock) -> None:
    post = Post(database, clock=clock)
    acme, bolt = post.tenant(), post.tenant(BOLT, mode="preview")
    post.registry.add_firm("elm", name="Elm")
    for whose in (bolt, of_firm("elm")):
        post.recipient(whose)
    with _traced() as seen:
        _use_everything(post, OF_ACME)
        post.later(days=10)
        _use_everything(post, OF_OAK)
    touching = [
        (statement, parameters)
        for statement, parameters in seen
        if set(re.findall(r"\b(?:FROM|JOIN|INTO|UPDATE) (\w+)", statement)) & _TABLES
    ]
    unbound = {statement for statement, parameters in touching if not _binds(statement, parameters)}
    reasons = {one: [reason for reason in _ACROSS_TENANTS if f"WHERE {reason}" in one] for one in unbound}
    assert all(reasons.values()), [one for one, found in reasons.items() if not found]
    assert {reason for found in reasons.values() for reason in found} == _ACROSS_TENANTS.keys()
    assert post.outbox.rows(OF_BOLT) == []
    assert acme.tenant_id == ACME


def _binds(statement: str, parameters: Any) -> bool:
    if re.search(r"\b(tenant|firm)_id = \?|INSERT INTO", statement) is None:
        return False
    own = "oak" if re.search(r"\bfirm_(mail|outbox)", statement) else ACME
    sets = parameters if isinstance(parameters, list) else [parameters]
    values = [set(one.values() if isinstance(one, dict) else one) for one in sets]
    return all(own in one and not one & {BOLT, "elm"} for one in values)


def _use_everything(post: Post, owner: MailOwner) -> None:
    post.recipient(owner)
    post.recipient(owner, BEN)
    post.recipients.set_mode(owner, "preview", author="ann")
    post.recipients.set_mode(owner, "live", author="ann")
    first, second = _queue(post, owner), _queue(post, owner, address=BEN)
    _queue(post, owner, text="New.\n")
    outbox, claims = post.outbox, post.outbox.claims
    outbox.due()
    outbox.has_work()
    outbox.rows(owner, kind=first.kind, key=first.key)
    outbox.find(post.row(first).message_token)
    outbox.waiting_if_live(owner)
    claim = claims.claim("one")
    assert claim is not None
    claims.begin(claim)
    post.later(seconds=LEASE.total_seconds())
    claims.sweep()
    outbox.check_resend(claim.row_key)
    outbox.resend(claim.row_key, author="ann")
    for settle in (_refuse, _take):
        claim = claims.claim("one")
        assert claim is not None
        claims.begin(claim)
        settle(post, claim)
    outbox.came_back(claim.row_key, reason="5.1.1", is_final=True, is_hard=True)
    outbox.history(first)
    outbox.content(post.row(second))
    for address in (ANN, BEN):
        post.recipient(owner, address, lift_suppression=True)
    post.recipients.unsubscribe(owner, ANN)
    _queue(post, owner, key="2026-11-27")
    post.later(days=1)
    assert claims.claim("one") is None
    post.recipients.remove(owner, BEN)


def _queue(post: Post, owner: MailOwner, *, address: str = ANN, key: str = WEEK, **content: str) -> RowKey:
    row_key, now = RowKey(owner=owner, kind="weekly", key=key, address=address), post.clock.now()
    post.outbox.enqueue(row_key, make_content(**content), due_at=now, expires_at=now + timedelta(hours=20))
    return row_key


def _refuse(post: Post, claim: Any) -> None:
    assert post.outbox.claims.failed(claim, reason="550 5.1.1", is_bad_address=True)


def _take(post: Post, claim: Any) -> None:
    assert post.outbox.claims.sent(claim, answer="250")
