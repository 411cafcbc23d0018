"""Links to unsubscribe: signed, for one recipient of one tenant, good for one thing."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette

from cli.unsubscribing import unsubscribe_routes
from cli.webhooks import receiver
from resources.clock import FixedClock
from resources.database import Database
from resources.dirty_tenants import DirtyTenants
from resources.mail.tables import of_tenant
from resources.mail.unsubscribe import BadUnsubscribeToken, MailKeys, Subscription
from resources.secret_text import Secret
from resources.tenants import TenantId
from tests.browser import free_port
from tests.databases import only_sqlite
from tests.resources.mail_builders import ACME, ANN, BEN, BOLT, KEY, OF_ACME, OF_OAK, Post
from tests.resources.mail_server import mail_server, make_certificates

_OTHER = bytes(range(32, 64))
_ANN = Subscription(owner=OF_ACME, address=ANN)


@pytest.fixture
def post(database: Database, clock: FixedClock) -> Post:
    made = Post(database, clock=clock)
    for whose in (made.tenant(), made.tenant(BOLT), OF_OAK):
        made.recipient(whose)
        made.recipient(whose, BEN)
    return made


@pytest.fixture
def address(post: Post) -> Iterator[str]:
    """The answering program, served as `runway mail listen` serves it."""
    app = Starlette(routes=unsubscribe_routes(post.recipients, keys=post.keys))
    port = free_port()
    with _served(app, port=port):
        yield f"http://127.0.0.1:{port}/unsubscribe/"


@contextmanager
def _served(app: Starlette, *, port: int) -> Iterator[None]:
    config = uvicorn.Config(app, port=port, log_config=None, access_log=False, server_header=False, lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    deadline = time.monotonic() + 15
    while not server.started:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()


def _reached(post: Post, tenant: TenantId) -> list[str]:
    return [one.address for one in post.recipients.reachable(of_tenant(tenant))]


@only_sqlite
def test_one_click_unsubscribes_one_recipient_of_one_tenant(post: Post, address: str) -> None:
    link = address + post.keys.unsubscribe_token(_ANN)
    shown = httpx.get(link, trust_env=False)
    assert shown.status_code == 200
    assert '<form method="post">' in shown.text
    assert not any(one in shown.text for one in (ANN, ACME))
    assert "form-action 'self'" in shown.headers["content-security-policy"]
    assert shown.headers["cache-control"] == "no-store"
    assert _reached(post, ACME) == [ANN, BEN], "looking changes nothing"
    for _ in range(2):
        done = httpx.post(link, data={"List-Unsubscribe": "One-Click"}, trust_env=False)
        assert done.status_code == 200
    assert (_reached(post, ACME), _reached(post, BOLT)) == ([BEN], [ANN, BEN])
    of_firm = post.keys.unsubscribe_token(Subscription(owner=OF_OAK, address=BEN))
    assert httpx.post(address + of_firm, trust_env=False).status_code == 200
    assert [one.address for one in post.recipients.reachable(OF_OAK)] == [ANN]
    assert (_reached(post, ACME), _reached(post, BOLT)) == ([BEN], [ANN, BEN])


@only_sqlite
def test_the_address_in_a_mail_that_a_server_took_unsubscribes_its_reader(
    database: Database, clock: FixedClock, tmp_path: Path
) -> None:
    """As a mail program does it: both headers of the mail as it arrived, and one POST to the app of `runway webhooks`."""
    port = free_port()
    with mail_server(make_certificates(tmp_path)) as server:
        own = server.settings().model_copy(update={"unsubscribe_url": f"http://127.0.0.1:{port}"})
        post = Post(database, clock=clock, settings=own)
        acme = post.tenant()
        for address in (ANN, BEN):
            post.recipient(acme, address)
            post.queue(address=address)
        assert post.mailer().drain().sent == 2
        (mail,) = [one for one in server.messages if one["To"].addresses[0].addr_spec == ANN]
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    app = receiver(DirtyTenants(database, clock=clock, environment="local"), verifier=Secret("verifier"))
    app.router.routes.extend(unsubscribe_routes(post.recipients, keys=post.keys))
    with _served(app, port=port):
        link = str(mail["List-Unsubscribe"]).strip("<>")
        done = httpx.post(link, data={"List-Unsubscribe": "One-Click"}, trust_env=False)
    assert done.status_code == 200
    assert _reached(post, ACME) == [BEN]


@only_sqlite
def test_links_nobody_signed_are_not_there(post: Post, address: str) -> None:
    good = post.keys.unsubscribe_token(_ANN)
    foreign = MailKeys([_OTHER]).unsubscribe_token(_ANN)
    nobody = post.keys.unsubscribe_token(Subscription(owner=OF_ACME, address="eve@evil.example"))
    for token in (foreign, good[:-4], "A" + good[1:], "x", "%00", "a" * 5000, nobody):
        assert httpx.post(address + token, trust_env=False).status_code == 404, token[:40]
    for token in (foreign, "x", "a" * 5000):
        assert httpx.get(address + token, trust_env=False).status_code == 404
    assert httpx.delete(address + good, trust_env=False).status_code == 405
    assert _reached(post, ACME) == [ANN, BEN]


def test_a_token_is_read_as_it_was_made_and_outlives_a_new_key() -> None:
    token = MailKeys([KEY]).unsubscribe_token(_ANN)
    assert MailKeys([_OTHER, KEY]).subscription(token) == _ANN
    with pytest.raises(BadUnsubscribeToken):
        MailKeys([_OTHER]).subscription(token)
    assert MailKeys([_OTHER, KEY]).unsubscribe_token(_ANN) != token


def test_the_token_of_a_firm_is_read_as_it_was_made_and_is_no_tenants() -> None:
    keys = MailKeys([KEY])
    for owner in (OF_OAK, of_tenant(TenantId("oak"))):
        subscription = Subscription(owner=owner, address=ANN)
        assert keys.subscription(keys.unsubscribe_token(subscription)) == subscription


def test_two_tenants_and_addresses_never_share_a_token() -> None:
    """Lengths are part of what is signed: ('ab', 'c') is not ('a', 'bc')."""
    keys = MailKeys([KEY])
    made = {
        keys.unsubscribe_token(Subscription(owner=of_tenant(TenantId(tenant)), address=address))
        for tenant, address in (("acme", "x@y.example"), ("acmex", "@y.example"), ("acm", "ex@y.example"))
    }
    assert len(made) == 3
    assert keys.message_token(OF_ACME, "ab", "c") != keys.message_token(OF_ACME, "a", "bc")


def test_a_message_id_is_no_token_and_shows_nothing() -> None:
    keys = MailKeys([KEY])
    with pytest.raises(BadUnsubscribeToken):
        keys.subscription(keys.message_token(OF_ACME, ANN))


@settings(max_examples=80, derandomize=True)
@given(st.text(max_size=80) | st.binary(max_size=60).map(lambda raw: raw.hex()))
def test_no_text_at_all_is_a_token(text: str) -> None:
    with pytest.raises(BadUnsubscribeToken):
        MailKeys([KEY]).subscription(text)


def test_without_a_key_nothing_is_signed() -> None:
    with pytest.raises(ValueError, match="at least one key"):
        MailKeys([])
