"""Every statement of mail names its tenant; what is rightly across tenants is listed here."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event

from resources.clock import FixedClock
from resources.database import Database
from resources.mail_tables import MAIL_TABLES
from resources.outbox_claims import LEASE
from tests.resources.mail_builders import ACME, ANN, BEN, BOLT, Post

_TABLES = {table.name for table in MAIL_TABLES}
#: The beginning of each statement across tenants, with its reason.
_ACROSS_TENANTS = {
    "outbox.state = ? AND outbox.due_at <= ?": "the sender's and the sensor's next mail, whosever it is",
    "outbox.state = ? AND outbox.lease_until <= ?": "rows of lost senders, whosever they are",
    "outbox.message_token = ?": "whose mail a report is about",
    "tenant.firm_id = ? AND outbox.kind = ?": "the notices of one firm",
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
    post.recipient(bolt)
    with _traced() as seen:
        _use_everything(post)
    touching = [
        (statement, parameters)
        for statement, parameters in seen
        if set(re.findall(r"\b(?:FROM|JOIN|INTO|UPDATE) (\w+)", statement)) & _TABLES
    ]
    unbound = {statement for statement, parameters in touching if not _binds_acme(statement, parameters)}
    reasons = {one: [reason for reason in _ACROSS_TENANTS if f"WHERE {reason}" in one] for one in unbound}
    assert all(reasons.values()), [one for one, found in reasons.items() if not found]
    assert {reason for found in reasons.values() for reason in found} == _ACROSS_TENANTS.keys()
    assert post.outbox.rows(BOLT) == []
    assert acme.tenant_id == ACME


def _binds_acme(statement: str, parameters: Any) -> bool:
    if re.search(r"\btenant_id = \?|INSERT INTO", statement) is None:
        return False
    sets = parameters if isinstance(parameters, list) else [parameters]
    values = [set(one.values() if isinstance(one, dict) else one) for one in sets]
    return all(ACME in one and BOLT not in one for one in values)


def _use_everything(post: Post) -> None:
    acme = post.registry.tenant(ACME)
    post.recipient(acme)
    post.recipient(acme, BEN)
    post.recipients.set_mode(acme, "preview", author="ann")
    post.recipients.set_mode(acme, "live", author="ann")
    first, second = post.queue(), post.queue(address=BEN)
    post.queue(text="New.\n")
    outbox, claims = post.outbox, post.outbox.claims
    outbox.due()
    outbox.has_work()
    outbox.rows(ACME, kind="friday_digest", key=first.key)
    outbox.rows_of_firm("oak", kind="left_out", key_prefix="x")
    outbox.find(post.row(first).message_token)
    outbox.waiting_if_live(acme)
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
        post.recipient(acme, address, lift_suppression=True)
    post.recipients.unsubscribe(ACME, ANN)
    post.queue(key="2026-11-27")
    post.later(days=1)
    assert claims.claim("one") is None
    post.recipients.remove(acme, BEN)


def _refuse(post: Post, claim: Any) -> None:
    assert post.outbox.claims.failed(claim, reason="550 5.1.1", is_bad_address=True)


def _take(post: Post, claim: Any) -> None:
    assert post.outbox.claims.sent(claim, answer="250")
