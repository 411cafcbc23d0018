"""Waiting for the browser: one exact callback counts, everything else changes nothing."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from resources.consent_callback import CallbackListener, CannotListen, NoCallback, is_local
from resources.errors import TenantError
from tests.browser import free_port, in_background, visit


class _Refused(TenantError):
    """An expected refusal."""


@contextmanager
def _listening(seen: list[str], *, fails: Exception | None = None) -> Iterator[tuple[str, CallbackListener[str]]]:
    address = f"http://localhost:{free_port()}/callback"

    def complete(callback: str) -> str:
        seen.append(callback)
        if fails is not None:
            raise fails
        return "Larkspur <Legal>"

    with CallbackListener(address, complete=complete, told=lambda name: f"to {name}") as listener:
        yield address, listener


def test_the_callback_is_handed_over_whole_and_the_person_is_told() -> None:
    seen: list[str] = []
    with _listening(seen) as (address, listener):
        page = visit(f"{address}?code=abc&state=s&realmId=1")
        assert listener.wait(timeout_seconds=10) == "Larkspur <Legal>"
    assert seen == [f"{address}?code=abc&state=s&realmId=1"]
    assert page.status_code == 200
    assert "Connected" in page.text
    assert "to Larkspur &lt;Legal&gt;" in page.text


def test_the_page_keeps_the_code_to_itself() -> None:
    with _listening([]) as (address, _):
        page = visit(f"{address}?code=canary-code&state=s")
    assert "canary" not in page.text
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["content-security-policy"].startswith("default-src 'none'")


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        pytest.param("/favicon.ico", {}, id="what browsers ask for by themselves"),
        pytest.param("/callback/?code=x", {}, id="a longer path"),
        pytest.param("/Callback?code=x", {}, id="another case"),
        pytest.param("/%63allback?code=x", {}, id="the path in disguise"),
        pytest.param("/callback?code=x", {"Host": "evil.example:80"}, id="another host: a name bent to this machine"),
        pytest.param("/callback?code=x", {"Host": "127.0.0.1"}, id="the same machine by another name"),
    ],
)
def test_whatever_is_not_the_callback_is_not_here_and_uses_nothing_up(path: str, headers: dict[str, str]) -> None:
    seen: list[str] = []
    with _listening(seen) as (address, listener):
        home = httpx.URL(address)
        with httpx.Client(trust_env=False) as client:
            request = client.build_request("GET", home, headers=headers)
            request.url = home.copy_with(raw_path=path.encode())
            assert client.send(request).status_code == 404
        assert seen == []
        visit(f"{address}?code=good")
        listener.wait(timeout_seconds=10)
    assert seen == [f"{address}?code=good"]


def test_only_a_get_is_a_callback() -> None:
    seen: list[str] = []
    with _listening(seen) as (address, _):
        assert httpx.post(f"{address}?code=x", trust_env=False).status_code == 501
    assert seen == []


def test_a_second_callback_changes_nothing_and_says_so() -> None:
    seen: list[str] = []
    with _listening(seen) as (address, listener):
        visit(f"{address}?code=1")
        second = visit(f"{address}?code=2")
        assert listener.wait(timeout_seconds=10) == "Larkspur <Legal>"
    assert seen == [f"{address}?code=1"]
    assert second.status_code == 410
    assert "answered before" in second.text


def test_of_callbacks_at_once_one_counts() -> None:
    seen: list[str] = []
    with _listening(seen) as (address, _), in_background() as start:
        pages = [start(visit, f"{address}?code={number}") for number in range(4)]
        assert sorted(page.result().status_code for page in pages) == [200, 410, 410, 410]
    assert len(seen) == 1


def test_a_refusal_reaches_the_person_and_the_one_who_waits() -> None:
    refusal = _Refused(what="The consent was not given.", next_step="Start again.")
    with _listening([], fails=refusal) as (address, listener):
        page = visit(f"{address}?error=access_denied")
        with pytest.raises(_Refused):
            listener.wait(timeout_seconds=10)
    assert page.status_code == 400
    assert "The consent was not given. Start again." in page.text


def test_a_bug_is_not_explained_to_a_browser() -> None:
    with _listening([], fails=RuntimeError("canary inside")) as (address, listener):
        page = visit(f"{address}?code=x")
        with pytest.raises(RuntimeError, match="canary"):
            listener.wait(timeout_seconds=10)
    assert "canary" not in page.text


def test_a_browsers_idle_connection_holds_nobody_up() -> None:
    """Browsers open connections ahead and may never use them."""
    with _listening([]) as (address, listener):
        url = httpx.URL(address)
        with socket.create_connection(("127.0.0.1", url.port or 0)):
            visit(f"{address}?code=x")
            assert listener.wait(timeout_seconds=10)


def test_nobody_coming_back_is_said_in_time() -> None:
    with _listening([]) as (_, listener), pytest.raises(NoCallback, match=r"within 0 seconds.*--no-browser"):
        listener.wait(timeout_seconds=0.05)


def test_a_port_in_use_is_said_plainly() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"http://localhost:{taken.getsockname()[1]}/callback"
        with pytest.raises(CannotListen, match="RUNWAY_QBO_REDIRECT_URI"):
            CallbackListener(address, complete=str, told=str)


@pytest.mark.parametrize("address", ["https://localhost:1/x", "http://runway.example/x", "http://0.0.0.0:1/x"])
def test_only_plain_http_on_this_machine_is_listened_on(address: str) -> None:
    assert not is_local(address)
    with pytest.raises(CannotListen, match="--no-browser"):
        CallbackListener(address, complete=str, told=str)
