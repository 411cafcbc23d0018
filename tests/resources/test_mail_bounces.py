"""Delivery reports as servers write them: believed if they know the mail, and taken in once."""

from collections.abc import Callable

import pytest

from resources.clock import FixedClock
from resources.database import Database
from resources.mail.bounces import NotAReport, reports, take_in
from resources.mail.outbox_rows import OutboxRow
from tests.databases import only_sqlite
from tests.resources.mail_builders import ANN, BEN, OF_ACME, Post

pytestmark = only_sqlite


@pytest.fixture
def post(database: Database, clock: FixedClock) -> Post:
    made = Post(database, clock=clock)
    acme = made.tenant()
    made.recipient(acme)
    made.recipient(acme, BEN)
    return made


@pytest.fixture
def sent(post: Post) -> OutboxRow:
    row_key = post.queue()
    claim = post.outbox.claims.claim("one")
    assert claim is not None
    post.outbox.claims.begin(claim)
    post.outbox.claims.sent(claim, answer="250")
    return post.row(row_key)


def _report(
    token: str,
    *,
    address: str = ANN,
    action: str = "failed",
    status: str = "5.1.1",
    original: str = "",
    returned: str = "message/rfc822",
) -> bytes:
    original_line = f"Original-Recipient: rfc822;{original}\r\n" if original else ""
    return (
        "From: MAILER-DAEMON@mx.example\r\n"
        "To: digest@oak.example\r\n"
        "Message-ID: <00000000000000000000000000000000@mx.example>\r\n"
        "Subject: Undelivered Mail Returned to Sender\r\n"
        "MIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n'
        "\r\n--b\r\nContent-Type: text/plain\r\n\r\nYour mail could not be delivered.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        "Reporting-MTA: dns; mx.example\r\nArrival-Date: Fri, 20 Nov 2026 12:31:00 +0000\r\n\r\n"
        f"Final-Recipient: rfc822; {address}\r\n{original_line}Action: {action}\r\nStatus: {status}\r\n"
        f"Diagnostic-Code: smtp; 550 {status} no\r\n such user\r\n\r\n"
        f"--b\r\nContent-Type: {returned}\r\n\r\n"
        f"From: digest@oak.example\r\nTo: {address}\r\nMessage-ID: <{token}@oak.example>\r\nSubject: Covered\r\n\r\nx\r\n"
        "--b--\r\n"
    ).encode()


@pytest.mark.parametrize("returned", ["message/rfc822", "text/rfc822-headers"])
def test_a_hard_report_marks_its_mail_and_ends_mail_to_the_address(post: Post, sent: OutboxRow, returned: str) -> None:
    (came_back,) = take_in(_report(sent.message_token, returned=returned), outbox=post.outbox)
    assert came_back.is_new
    assert came_back.report.reason == "5.1.1 550 5.1.1 no such user"
    assert post.row(sent.row_key).state == "bounced"
    assert [one.address for one in post.recipients.reachable(OF_ACME)] == [BEN]


def test_the_same_report_again_is_known(post: Post, sent: OutboxRow) -> None:
    raw = _report(sent.message_token)
    assert [take_in(raw, outbox=post.outbox)[0].is_new for _ in range(3)] == [True, False, False]
    assert post.told(sent.row_key).count("bounced") == 1


def test_a_dry_run_changes_nothing(post: Post, sent: OutboxRow) -> None:
    take_in(_report(sent.message_token), outbox=post.outbox, is_dry_run=True)
    assert post.row(sent.row_key) == sent
    assert len(post.recipients.reachable(OF_ACME)) == 2


def test_a_full_mailbox_brings_the_mail_back_and_keeps_the_address(post: Post, sent: OutboxRow) -> None:
    take_in(_report(sent.message_token, status="5.2.2"), outbox=post.outbox)
    assert post.row(sent.row_key).state == "bounced"
    assert len(post.recipients.reachable(OF_ACME)) == 2


def test_a_delay_is_only_noted(post: Post, sent: OutboxRow) -> None:
    take_in(_report(sent.message_token, action="delayed", status="4.4.1"), outbox=post.outbox)
    assert (post.row(sent.row_key).state, post.told(sent.row_key)[-1]) == ("sent", "delayed")


def test_a_mail_nobody_knew_about_that_comes_back_is_known(post: Post) -> None:
    row_key = post.queue()
    claim = post.outbox.claims.claim("one")
    assert claim is not None
    post.outbox.claims.begin(claim)
    post.outbox.claims.unknown(claim, reason="lost")
    take_in(_report(post.row(row_key).message_token), outbox=post.outbox)
    assert post.row(row_key).state == "bounced"


def test_a_forwarded_mail_that_comes_back_ends_no_mail_to_whoever_forwarded_it(post: Post, sent: OutboxRow) -> None:
    take_in(_report(sent.message_token, address="ann@elsewhere.example"), outbox=post.outbox)
    assert post.row(sent.row_key).state == "bounced"
    assert len(post.recipients.reachable(OF_ACME)) == 2
    take_in(
        _report(sent.message_token, address="ann@elsewhere.example", original=ANN, status="5.1.2"), outbox=post.outbox
    )
    assert [one.address for one in post.recipients.reachable(OF_ACME)] == [BEN]


def test_a_report_about_a_mail_of_nobody_here_changes_nothing(post: Post, sent: OutboxRow) -> None:
    with pytest.raises(NotAReport, match="no mail of this installation"):
        take_in(_report("f" * 32), outbox=post.outbox)
    assert post.row(sent.row_key) == sent


@pytest.mark.parametrize(
    ("spoilt", "why"),
    [
        pytest.param(lambda _: b"", "no delivery report", id="nothing"),
        pytest.param(lambda _: b"\xff\xfe\x00" * 50, "no delivery report", id="noise"),
        pytest.param(lambda _: b"Subject: hi\r\n\r\nI am on holiday.\r\n", "no delivery report", id="an answer"),
        pytest.param(
            lambda raw: raw.replace(b"delivery-status; b", b"disposition-notification; b"),
            "no delivery report",
            id="a receipt",
        ),
        pytest.param(lambda raw: raw.replace(b"@oak.example>\r\nSubject", b"\r\nSubject"), "Message-ID", id="no id"),
        pytest.param(lambda raw: raw[: raw.index(b"--b\r\nContent-Type: message/rfc822")], "Message-ID", id="cut off"),
        pytest.param(lambda raw: raw + b"x" * (10 * 1024 * 1024), "longer than", id="endless"),
    ],
)
def test_what_is_no_report_of_ours_is_refused_in_words(
    post: Post, sent: OutboxRow, spoilt: Callable[[bytes], bytes], why: str
) -> None:
    with pytest.raises(NotAReport, match=why):
        take_in(spoilt(_report(sent.message_token)), outbox=post.outbox)
    assert post.row(sent.row_key) == sent


def test_deliveries_that_went_well_are_no_news(post: Post) -> None:
    assert reports(_report("a" * 32, action="delivered", status="2.0.0")) == []


def test_the_reports_own_message_id_is_not_taken_for_the_mails(post: Post) -> None:
    raw = _report("x")
    with pytest.raises(NotAReport, match="Message-ID"):
        reports(raw)
