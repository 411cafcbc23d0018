"""The sender against a real SMTP server: what each answer leads to, at each place of the conversation."""

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from resources.clock import FixedClock
from resources.database import Database
from resources.failpoints import arm, disarm
from resources.mail.sender import MailNotConfigured
from resources.settings import MailSettings
from tests.resources.mail_builders import ACME, ANN, BEN, BOLT, OF_ACME, OF_BOLT, Post
from tests.resources.mail_server import PASSWORD, Certificates, MailServer, mail_server, make_certificates


@pytest.fixture
def database(migrated_file: Path, tmp_path: Path) -> Iterator[Database]:
    """On SQLite only: what differs between the engines is the outbox's, not the conversation's."""
    path = tmp_path / "runway.sqlite"
    shutil.copyfile(migrated_file, path)
    opened = Database(f"sqlite:///{path}")
    try:
        yield opened
    finally:
        opened.close()


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def running(certificates: Certificates) -> Iterator[MailServer]:
    with mail_server(certificates) as server:
        yield server


@pytest.fixture
def server(running: MailServer) -> MailServer:
    running.behave()
    running.taken.clear()
    running.stages.clear()
    return running


@pytest.fixture
def post(database: Database, clock: FixedClock, server: MailServer) -> Post:
    made = Post(database, clock=clock, settings=server.settings())
    acme = made.tenant()
    made.recipient(acme)
    made.recipient(acme, BEN)
    return made


def test_a_due_mail_is_sent_once_over_tls_with_a_login_and_recorded(post: Post, server: MailServer) -> None:
    row_key = post.queue()
    drained = post.mailer().drain()
    assert (drained.sent, len(server.taken)) == (1, 1)
    assert post.row(row_key).state == "sent"
    assert post.told(row_key) == ["queued", "claimed", "begun", "sent"]
    assert post.mailer().drain().sent == 0
    assert len(server.taken) == 1
    assert server.stages == ["ehlo", "ehlo", "auth", "mail", "rcpt", "data", "content", "taken"]


def test_several_mails_share_a_connection(post: Post, server: MailServer) -> None:
    for week in ("2026-11-06", "2026-11-13", "2026-11-20"):
        post.queue(key=week)
    assert post.mailer().drain().sent == 3
    assert (server.stages.count("auth"), server.stages.count("taken")) == (1, 3)


def test_a_sender_whose_time_is_over_ends_between_two_mails_and_the_next_one_goes_on(
    post: Post, server: MailServer
) -> None:
    keys = [post.queue(key=f"week {number}") for number in range(5)]
    arm("mail.content_given", hit=None, action=lambda: post.later(minutes=4))
    try:
        assert post.mailer().drain(longest=timedelta(minutes=10)).sent == 3
        assert sorted(post.row(one).state for one in keys) == ["queued"] * 2 + ["sent"] * 3
        assert post.mailer().drain(longest=timedelta(minutes=10)).sent == 2
    finally:
        disarm()
    assert {post.row(one).state for one in keys} == {"sent"}
    assert max(server.copies().values()) == 1


@pytest.mark.parametrize("tls", ["implicit", "none"])
def test_implicit_tls_and_a_server_on_this_machine_work_too(
    database: Database, clock: FixedClock, certificates: Certificates, tls: str
) -> None:
    with mail_server(certificates, tls=tls) as server:
        post = Post(database, clock=clock, settings=server.settings())
        post.recipient(post.tenant())
        row_key = post.queue()
        assert post.mailer().drain().sent == 1
        assert (len(server.taken), post.row(row_key).state) == (1, "sent")


@pytest.mark.parametrize(
    ("stage", "answer", "state", "about_us"),
    [
        pytest.param("connect", "hang up", "queued", True, id="no greeting"),
        pytest.param("ehlo", "554 not you", "queued", True, id="greeting refused"),
        pytest.param("ehlo", "hang up", "queued", True, id="lost in the greeting"),
        pytest.param("auth", "535 wrong password", "queued", True, id="login refused"),
        pytest.param("auth", "hang up", "queued", True, id="lost in the login"),
        pytest.param("mail", "451 later", "queued", True, id="sender refused for now"),
        pytest.param("mail", "550 not this sender", "queued", True, id="sender refused"),
        pytest.param("mail", "hang up", "queued", False, id="lost after the sender"),
        pytest.param("rcpt", "450 greylisted", "queued", False, id="recipient refused for now"),
        pytest.param("rcpt", "550 no such user", "failed", False, id="recipient refused"),
        pytest.param("rcpt", "421 going down", "queued", True, id="closing at the recipient"),
        pytest.param("rcpt", "hang up", "queued", False, id="lost after the recipient"),
        pytest.param("data", "451 later", "queued", False, id="content not wanted for now"),
        pytest.param("data", "554 no", "failed", False, id="content not wanted"),
        pytest.param("data", "hang up", "queued", False, id="lost before the content"),
        pytest.param("content", "451 disk full", "queued", False, id="content refused for now"),
        pytest.param("content", "554 looks like spam", "failed", False, id="content refused"),
        pytest.param("content", "hang up", "unknown", False, id="lost with the content, not taken"),
        pytest.param("taken", "hang up", "unknown", False, id="lost with the content, taken"),
        pytest.param("taken", "354 what", "unknown", False, id="an answer that means nothing"),
    ],
)
def test_each_answer_at_each_place_leads_to_its_state_and_never_to_two_mails(
    post: Post, server: MailServer, stage: str, answer: str, state: str, *, about_us: bool
) -> None:
    row_key = post.queue()
    server.misbehave(**{stage: answer})
    drained = post.mailer().drain()
    assert (post.row(row_key).state, drained.stopped_because is not None) == (state, about_us)
    assert PASSWORD not in repr(drained) + repr(post.outbox.history(row_key))
    server.behave()
    before = len(server.taken)
    assert before == (1 if stage == "taken" else 0)
    post.mailer().drain()
    assert len(server.taken) == before, "a refused mail pauses before it is tried again"
    post.later(minutes=20)
    post.mailer().drain()
    is_sent = state == "queued"
    assert post.row(row_key).state == ("sent" if is_sent else state)
    assert len(server.taken) == before + is_sent
    assert max(server.copies().values(), default=0) <= 1


def test_trouble_with_the_server_holds_everybody_and_trouble_with_a_mail_only_that_mail(
    post: Post, server: MailServer
) -> None:
    first, second = post.queue(), post.queue(address=BEN)
    server.misbehave(times=1, rcpt="450 greylisted")
    assert (post.mailer().drain().sent, post.row(first).state, post.row(second).state) == (1, "queued", "sent")
    third = post.queue(key="2026-11-27")
    post.later(minutes=2)
    server.misbehave(auth="535 wrong password")
    drained = post.mailer().drain()
    assert drained.postponed == 1
    assert "535" in str(drained.stopped_because)
    assert {post.row(one).state for one in (first, third)} == {"queued"}


def test_pauses_grow_and_a_mail_that_is_not_taken_in_time_fails(post: Post, server: MailServer) -> None:
    row_key = post.queue()
    server.misbehave(rcpt="450 later")
    pauses = []
    while post.row(row_key).state == "queued":
        post.mailer().drain()
        row = post.row(row_key)
        pauses.append((row.due_at - post.clock.now()).total_seconds() / 60)
        post.later(minutes=max(pauses[-1], 1))
    assert pauses[:7] == [1, 5, 15, 30, 60, 120, 120]
    assert (post.row(row_key).state, "450 later" in post.row(row_key).reason) == ("failed", True)
    assert post.row(row_key).refusals < 50


def test_an_address_that_does_not_exist_gets_no_more_mail(post: Post, server: MailServer) -> None:
    post.queue()
    server.misbehave(times=1, rcpt="550 5.1.1 no such user")
    post.mailer().drain()
    assert [one.address for one in post.recipients.reachable(OF_ACME)] == [BEN]
    following = post.queue(key="2026-11-27")
    assert post.mailer().drain().sent == 0
    assert (post.row(following).state, "5.1.1" in post.row(following).reason) == ("cancelled", True)


def test_a_server_whose_certificate_nobody_vouches_for_gets_nothing(post: Post, server: MailServer) -> None:
    row_key = post.queue()
    drained = post.mailer(ca_file=None).drain()
    assert "TLS" in str(drained.stopped_because)
    assert (post.row(row_key).state, server.taken) == ("queued", [])
    assert "auth" not in server.stages


def test_a_server_of_another_name_gets_nothing(post: Post, server: MailServer) -> None:
    """The certificate is for localhost."""
    row_key = post.queue()
    assert "TLS" in str(post.mailer(host="127.0.0.1").drain().stopped_because)
    assert (post.row(row_key).state, server.taken) == ("queued", [])


def test_a_server_that_offers_no_tls_gets_neither_password_nor_mail(
    database: Database, clock: FixedClock, certificates: Certificates
) -> None:
    with mail_server(certificates, tls="none") as server:
        post = Post(database, clock=clock, settings=server.settings(tls="starttls", user="runway"))
        post.recipient(post.tenant())
        post.queue()
        assert "does not offer" in str(post.mailer().drain().stopped_because)
        assert server.stages == ["ehlo"]


def test_a_server_that_is_not_there_holds_the_mail(post: Post) -> None:
    row_key = post.queue()
    assert "cannot be reached" in str(post.mailer(port=1).drain().stopped_because)
    assert (post.row(row_key).state, post.told(row_key)) == ("queued", ["queued", "claimed", "postponed"])


def test_a_wrong_password_is_reported_without_it(post: Post) -> None:
    post.queue()
    drained = post.mailer(password=SecretStr("canary-wrong")).drain()
    assert "535" in str(drained.stopped_because)
    assert "canary-wrong" not in repr(drained)


def test_in_preview_nothing_leaves_and_switching_to_live_sends_what_is_still_news(
    post: Post, server: MailServer
) -> None:
    bolt = post.tenant(BOLT, mode="preview")
    post.recipient(bolt, "bea@bolt.example")
    old = post.queue(BOLT, "bea@bolt.example", key="2026-11-13")
    post.later(days=7)
    new = post.queue(BOLT, "bea@bolt.example")
    assert (post.mailer().drain().sent, post.outbox.has_work(), server.stages) == (0, False, [])
    post.recipients.set_mode(OF_BOLT, "live", author="ben")
    assert post.outbox.waiting_if_live(OF_BOLT) == 1
    assert post.mailer().drain().sent == 1
    assert (post.row(new).state, post.row(old).state) == ("sent", "cancelled")


def test_whoever_unsubscribed_or_was_removed_gets_nothing_that_still_waits(post: Post, server: MailServer) -> None:
    first, second = post.queue(), post.queue(address=BEN)
    assert post.recipients.unsubscribe(OF_ACME, ANN)
    post.recipients.remove(OF_ACME, BEN)
    assert post.mailer().drain().sent == 0
    assert {post.row(one).state for one in (first, second)} == {"cancelled"}
    assert server.stages == []


def test_a_tenant_that_is_deactivated_gets_no_more_mail(post: Post) -> None:
    post.queue()
    post.registry.deactivate(ACME)
    assert (post.mailer().drain().sent, post.outbox.has_work()) == (0, False)


def test_mail_without_a_way_to_end_it_is_not_sent(post: Post) -> None:
    post.queue()
    with pytest.raises(MailNotConfigured, match="RUNWAY_MAIL__UNSUBSCRIBE_URL"):
        post.mailer(unsubscribe_url="").drain()


def test_settings_refuse_to_send_in_the_clear_over_a_network() -> None:
    with pytest.raises(ValidationError, match="on this machine"):
        MailSettings(host="smtp.example.com", tls="none")
    with pytest.raises(ValidationError, match="https"):
        MailSettings(unsubscribe_url="http://runway.example")
    with pytest.raises(ValidationError, match="no address has"):
        MailSettings(unsubscribe_url="https://runway.example\r\nBcc: eve@evil.example")
    with pytest.raises(ValidationError, match="is no mail address"):
        MailSettings(from_address="digest@oak.example\r\nBcc: eve@evil.example")
    assert PASSWORD not in repr(MailSettings(password=SecretStr(PASSWORD)))


def test_the_table_of_settings_in_the_docs_is_the_module() -> None:
    text = (Path(__file__).parents[2] / "docs" / "mail.md").read_text(encoding="utf-8")
    for name, setting in MailSettings.model_fields.items():
        assert f"| `RUNWAY_MAIL__{name.upper()}` |" in text, name
        assert f"| {setting.description} |" in text, name
