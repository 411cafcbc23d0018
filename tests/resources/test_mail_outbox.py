"""The outbox on both engines: queued once, claimed by one, never sent again by itself."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from resources.clock import FixedClock
from resources.database import Database
from resources.mail.outbox import ResendRefused
from resources.mail.outbox_claims import LEASE, Claim
from resources.mail.recipients import RecipientRefused, mail_address, suppress
from resources.mail.tables import MailOwner
from resources.tenants import BadZone
from tests.databases import only_sqlite, url_of
from tests.processes import at_once
from tests.resources.mail_builders import (
    ACME,
    ANN,
    BEN,
    BOLT,
    MORNING,
    OF_ACME,
    OF_BOLT,
    OF_OAK,
    Post,
    make_content,
    row_of,
)


@pytest.fixture
def post(database: Database, clock: FixedClock) -> Post:
    made = Post(database, clock=clock)
    acme = made.tenant()
    made.recipient(acme)
    made.recipient(acme, BEN)
    made.recipient(OF_OAK)
    made.recipients.set_mode(OF_OAK, "live", author="ann")
    return made


def _claimed(post: Post, holder: str = "one") -> Claim:
    claim = post.outbox.claims.claim(holder)
    assert claim is not None
    return claim


def test_mails_are_found_by_how_their_key_begins(post: Post) -> None:
    for key in ("2026-11-20:a_:0001", "2026-11-20:a_:0002", "2026-11-20:ab:0001", "2026-11-21:a_:0001"):
        post.queue(key=key)
    found = [row.row_key.key for row in post.outbox.rows(OF_ACME, stem="2026-11-20:a_:")]
    assert found == ["2026-11-20:a_:0002", "2026-11-20:a_:0001"], "an underscore stands for itself"


def test_queueing_again_queues_nothing_and_changes_what_still_waits(post: Post) -> None:
    row_key = row_of()
    times = {"due_at": post.clock.now(), "expires_at": post.clock.now() + timedelta(days=3)}
    assert post.outbox.enqueue(row_key, make_content(), **times) == "queued"
    assert post.outbox.enqueue(row_key, make_content(), **times) == "unchanged"
    assert post.outbox.enqueue(row_key, make_content(text="New.\n"), **times) == "updated"
    assert post.outbox.content(post.row(row_key)).text == "New.\n"
    claim = _claimed(post)
    assert claim.content.text == "New.\n"
    for settle in (
        lambda: None,
        lambda: post.outbox.claims.begin(claim),
        lambda: post.outbox.claims.sent(claim, answer="250"),
    ):
        settle()
        assert post.outbox.enqueue(row_key, make_content(text="Newer.\n"), **times) == "unchanged"
    assert post.outbox.content(post.row(row_key)).text == "New.\n"
    assert len(post.outbox.rows(OF_ACME)) == 1


@only_sqlite
def test_the_same_rendering_is_kept_once(post: Post) -> None:
    post.queue()
    post.queue(address=BEN)
    with post.database.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM mail_content")).scalar_one() == 1


@only_sqlite
def test_a_mail_is_claimed_by_one_sender(post: Post) -> None:
    post.queue()
    assert post.outbox.claims.claim("one") is not None
    assert post.outbox.claims.claim("two") is None


def test_of_many_senders_at_once_each_mail_is_claimed_by_one(post: Post) -> None:
    keys = [post.queue(key=f"week {number:02d}") for number in range(12)]
    found = at_once(4, _claim_all, url_of(post.database))
    assert sorted(key for claimed in found for key in claimed) == sorted(one.key for one in keys)


def _claim_all(number: int, url: str) -> list[str]:
    post = Post(Database(url), clock=FixedClock(MORNING))
    try:
        claimed = []
        while (claim := post.outbox.claims.claim(f"sender {number}")) is not None:
            claimed.append(claim.row_key.key)
        return claimed
    finally:
        post.database.close()


@only_sqlite
def test_a_sender_lost_before_the_conversation_leaves_a_mail_that_is_sent_by_the_next(post: Post) -> None:
    row_key = post.queue()
    lost = _claimed(post)
    assert post.outbox.claims.sweep().released == 0
    post.later(seconds=LEASE.total_seconds())
    assert post.outbox.has_work()
    assert post.outbox.claims.sweep().released == 1
    claims = post.outbox.claims
    assert not claims.begin(lost), "the row is no longer its own"
    following = _claimed(post, "two")
    assert not claims.begin(lost)
    assert claims.begin(following)
    assert claims.sent(following, answer="250")
    assert post.told(row_key) == ["queued", "claimed", "released", "claimed", "begun", "sent"]


@pytest.mark.parametrize("whose", [ACME, OF_OAK], ids=["tenant", "firm"])
def test_a_sender_lost_in_the_conversation_leaves_unknown_which_only_a_person_ends(
    post: Post, whose: str | MailOwner
) -> None:
    row_key = post.queue(whose)
    lost = _claimed(post)
    assert post.outbox.claims.begin(lost)
    post.later(seconds=LEASE.total_seconds())
    assert post.outbox.claims.sweep().unknown == 1
    for settle in (_sent, _failed, _postponed, _unknown):
        assert not settle(post, lost), "what a lost sender learns later changes nothing"
    post.later(days=1)
    assert post.outbox.claims.claim("two") is None
    assert not post.outbox.has_work()
    assert post.outbox.resend(row_key, author="ann").state == "queued"
    assert _claimed(post, "two").row.message_token == lost.row.message_token
    assert post.outbox.history(row_key)[-2].detail == "by ann"


def _sent(post: Post, claim: Claim) -> bool:
    return post.outbox.claims.sent(claim, answer="250")


def _failed(post: Post, claim: Claim) -> bool:
    return post.outbox.claims.failed(claim, reason="550", is_bad_address=False)


def _postponed(post: Post, claim: Claim) -> bool:
    return post.outbox.claims.postpone(claim, reason="450")


def _unknown(post: Post, claim: Claim) -> bool:
    return post.outbox.claims.unknown(claim, reason="lost")


@only_sqlite
@pytest.mark.parametrize(
    ("settle", "is_refused"),
    [(_sent, True), (_failed, False), (_postponed, True), (_unknown, False)],
    ids=["sent", "failed", "waiting", "unknown"],
)
def test_only_what_was_not_taken_and_does_not_wait_is_sent_again(
    post: Post, settle: Callable[[Post, Claim], bool], *, is_refused: bool
) -> None:
    row_key = post.queue()
    claim = _claimed(post)
    post.outbox.claims.begin(claim)
    assert settle(post, claim)
    if is_refused:
        with pytest.raises(ResendRefused):
            post.outbox.resend(row_key, author="ann")
        with pytest.raises(ResendRefused):
            post.outbox.check_resend(row_key)
        return
    post.outbox.check_resend(row_key)
    assert post.outbox.resend(row_key, author="ann").state == "queued"
    with pytest.raises(ResendRefused):
        post.outbox.resend(row_key, author="ben")


@only_sqlite
def test_nothing_is_sent_again_to_whoever_wants_none_and_what_never_was_is_refused(post: Post) -> None:
    row_key = post.queue()
    _failed(post, _claimed(post))
    post.recipients.unsubscribe(OF_ACME, ANN)
    with pytest.raises(ResendRefused, match="unsubscribed"):
        post.outbox.resend(row_key, author="ann")
    with pytest.raises(ResendRefused, match="no such mail"):
        post.outbox.resend(row_of(key="2020-01-03"), author="ann")


@pytest.mark.parametrize(
    ("settle", "says"),
    [
        pytest.param(_postponed, "the last answer was: 450", id="refused for now"),
        pytest.param(None, "its time was over", id="its sender was lost"),
    ],
)
def test_a_mail_that_was_tried_fails_when_its_time_is_over(
    post: Post, settle: Callable[[Post, Claim], bool] | None, says: str
) -> None:
    """Nobody ran the sender for a weekend: the mail ended as cancelled, which no page and no mail tells."""
    row_key = post.queue()
    claim = _claimed(post)
    if settle is not None:
        assert settle(post, claim)
    post.later(days=4)
    post.outbox.claims.sweep()
    assert post.outbox.claims.claim("two") is None
    row = post.row(row_key)
    assert (row.state, says in row.reason) == ("failed", True)
    assert post.told(row_key)[-1] == "failed"
    assert post.outbox.resend(row_key, author="ann").state == "queued"


@only_sqlite
def test_a_mail_that_was_tried_and_whose_reader_wants_none_any_more_is_cancelled(post: Post) -> None:
    row_key = post.queue()
    _postponed(post, _claimed(post))
    post.recipients.unsubscribe(OF_ACME, ANN)
    post.later(days=4)
    assert post.outbox.claims.claim("two") is None
    assert post.row(row_key).state == "cancelled"


@only_sqlite
@pytest.mark.parametrize("obstacle", ["unsubscribed", "removed", "suppressed", "late"])
def test_what_would_leave_is_what_leaves(post: Post, obstacle: str) -> None:
    """The dry run of the sender and that of going live counted mails which are ended and not sent."""
    post.queue()
    post.later(days=2)
    sent = post.queue(address=BEN)
    if obstacle == "late":
        post.later(days=1)
    elif obstacle == "suppressed":
        with post.database.write() as connection:
            suppress(connection, OF_ACME, ANN, reason="5.1.1", now=post.clock.now())
    else:
        end = {"unsubscribed": post.recipients.unsubscribe, "removed": post.recipients.remove}[obstacle]
        end(OF_ACME, ANN)
    assert [row.row_key for row in post.outbox.due()] == [sent]
    assert post.outbox.waiting_if_live(OF_ACME) == 1
    assert [_claimed(post).row_key, post.outbox.claims.claim("one")] == [sent, None]


def test_what_happened_is_only_added_to(post: Post) -> None:
    post.queue()
    post.queue(OF_OAK)
    for statement in (
        "UPDATE outbox_event SET detail = ''",
        "DELETE FROM outbox_event",
        "UPDATE mail_mode SET author = 'x'",
        "UPDATE firm_outbox_event SET detail = ''",
        "DELETE FROM firm_mail_mode",
    ):
        with pytest.raises(DBAPIError, match="append-only"), post.database.write() as connection:
            connection.execute(text(statement))


@only_sqlite
def test_message_ids_are_the_same_for_a_row_and_differ_between_rows(post: Post) -> None:
    rows = [
        post.row(post.queue(address=address, key=key)) for address in (ANN, BEN) for key in ("2026-11-13", "2026-11-20")
    ]
    tokens = [row.message_token for row in rows]
    assert len(set(tokens)) == len(tokens)
    assert post.keys.message_token(OF_ACME, "friday_digest", "2026-11-13", ANN) == tokens[0]


def test_a_tenants_mails_and_recipients_are_its_own(post: Post) -> None:
    bolt = post.tenant(BOLT)
    assert post.recipients.all(OF_BOLT) == ()
    post.recipient(bolt)
    post.queue()
    assert post.outbox.rows(OF_BOLT) == []
    post.recipients.unsubscribe(OF_ACME, ANN)
    assert [one.obstacle for one in post.recipients.all(OF_BOLT)] == [None]
    with pytest.raises(DBAPIError):
        post.queue(BOLT, BEN)


@only_sqlite
def test_the_mode_is_preview_until_somebody_says_otherwise_and_is_remembered_with_who(post: Post) -> None:
    post.registry.add_tenant(BOLT, firm_id="oak", name="Bolt", zone="America/New_York")
    assert (post.recipients.mode(OF_BOLT).mode, post.recipients.mode(OF_BOLT).author) == ("preview", None)
    post.recipients.set_mode(OF_BOLT, "live", author="ann")
    post.recipients.set_mode(OF_BOLT, "live", author="ben")
    assert post.recipients.mode(OF_BOLT).author == "ann", "the same again is not recorded"
    post.recipients.set_mode(OF_BOLT, "preview", author="ben")
    assert (post.recipients.mode(OF_BOLT).mode, post.recipients.mode(OF_BOLT).author) == ("preview", "ben")


@pytest.mark.parametrize(
    "address",
    [
        "ann",
        "@acme.example",
        "ann@",
        "ann@localhost",
        "ann@acme.example\r\nBcc: eve@evil.example",
        "ann@acme.example, eve@evil.example",
        '"ann b"@acme.example',
        "ann@acme..example",
        "a" * 65 + "@acme.example",
        "ännä@acme.example",
        "ann/../x@acme.example",
        "ann@[127.0.0.1]",
    ],
)
def test_what_is_no_plain_address_is_refused(address: str) -> None:
    with pytest.raises(RecipientRefused, match="no mail address"):
        mail_address(address)


@only_sqlite
def test_addresses_are_kept_in_one_form(post: Post) -> None:
    acme = post.registry.tenant(ACME)
    post.recipient(acme, " Cleo+Digest@Acme.Example ")
    assert "cleo+digest@acme.example" in {one.address for one in post.recipients.all(OF_ACME)}


@only_sqlite
def test_recipients_with_words_nobody_knows_are_refused_and_nothing_is_kept(post: Post) -> None:
    acme = post.registry.tenant(ACME)
    for wrong in (
        {"role": "boss"},
        {"locale": "de-DE"},
        {"currency_format": "euro"},
        {"name": "Ann\r\nBcc: x@y.example"},
    ):
        with pytest.raises(RecipientRefused):
            post.recipient(acme, "new@acme.example", **wrong)
    with pytest.raises(BadZone):
        post.recipient(acme, "new@acme.example", zone="Mars/Olympus")
    assert len(post.recipients.all(OF_ACME)) == 2


@only_sqlite
def test_adding_again_replaces_what_was_said_and_ends_an_unsubscription_only_if_asked(post: Post) -> None:
    acme = post.registry.tenant(ACME)
    post.recipients.unsubscribe(OF_ACME, ANN)
    post.recipients.unsubscribe(OF_ACME, ANN)
    assert [one.address for one in post.recipients.reachable(OF_ACME)] == [BEN]
    assert post.recipient(acme, locale="en-US").obstacle == "the recipient unsubscribed"
    again = post.recipient(acme, role="firm", locale="en-US", subscribe_again=True)
    assert (again.role, again.locale, again.obstacle) == ("firm", "en-US", None)
    assert [one.address for one in post.recipients.reachable(OF_ACME)] == [BEN, ANN]


@only_sqlite
def test_a_firm_and_its_tenant_have_each_their_own_mode_readers_and_mails(post: Post) -> None:
    """The same address reads both; nothing said of one holds for the other."""
    of_tenant, of_firm = post.queue(ACME), post.queue(OF_OAK)
    assert len({post.row(one).message_token for one in (of_tenant, of_firm)}) == 2
    post.recipients.set_mode(OF_ACME, "preview", author="ben")
    assert [row.row_key for row in post.outbox.due()] == [of_firm]
    post.recipients.set_mode(OF_ACME, "live", author="ben")
    post.recipients.unsubscribe(OF_OAK, ANN)
    assert _claimed(post).row_key == of_tenant
    assert post.outbox.claims.claim("one") is None
    assert (post.row(of_firm).state, post.row(of_firm).reason) == ("cancelled", "the recipient unsubscribed")
    assert post.recipients.one(OF_ACME, ANN).obstacle is None


@only_sqlite
def test_mails_of_tenants_and_firms_leave_in_the_order_they_are_due(post: Post) -> None:
    keys = []
    for number, whose in enumerate([OF_OAK, ACME, OF_OAK, ACME]):
        keys.append(post.queue(whose, key=f"week {number}"))
        post.later(seconds=1)
    assert [_claimed(post).row_key for _ in keys] == keys


@only_sqlite
def test_whoever_reads_the_mail_of_a_firm_is_of_the_firm(post: Post) -> None:
    with pytest.raises(RecipientRefused, match="leave the role out"):
        post.recipient(OF_OAK, BEN, role="client")
    assert {one.role for one in post.recipients.all(OF_OAK)} == {"firm"}


def test_mail_that_came_back_ends_mail_to_an_address_until_somebody_says_it_works(post: Post) -> None:
    acme = post.registry.tenant(ACME)
    row_key = post.queue()
    claim = _claimed(post)
    post.outbox.claims.begin(claim)
    _sent(post, claim)
    assert post.outbox.came_back(row_key, reason="5.1.1 gone", is_final=True, is_hard=True)
    assert not post.outbox.came_back(row_key, reason="5.1.1 gone", is_final=True, is_hard=True), "told before"
    assert (post.row(row_key).state, post.told(row_key)[-1]) == ("bounced", "bounced")
    assert [one.address for one in post.recipients.reachable(OF_ACME)] == [BEN]
    with pytest.raises(RecipientRefused, match="--lift-suppression"):
        post.recipient(acme)
    assert post.recipient(acme, lift_suppression=True).obstacle is None


@only_sqlite
def test_a_delay_is_noted_and_changes_nothing(post: Post) -> None:
    row_key = post.queue()
    claim = _claimed(post)
    post.outbox.claims.begin(claim)
    _sent(post, claim)
    before = post.row(row_key)
    assert post.outbox.came_back(row_key, reason="4.4.1 no answer", is_final=False, is_hard=False)
    assert post.row(row_key) == replace(before)
    assert post.told(row_key)[-1] == "delayed"
