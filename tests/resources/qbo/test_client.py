import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from resources.qbo.client import QboClient
from resources.qbo.errors import QboAuthExpired, QboNotAuthorised, QboRefused, QboUnavailable
from resources.qbo.query import compare, one_of, select
from resources.secret_text import Secret
from tests.resources.qbo.scripted_qbo import REALM, Answer, ScriptedQbo

TOKEN = Secret("access-0")


@pytest.fixture
def client(qbo: ScriptedQbo) -> Iterator[QboClient]:
    qbo.access_tokens = {"access-0"}
    with QboClient(url=qbo.url, timeout_seconds=0.5) as opened:
        yield opened


def _bills(client: QboClient, *, token: Secret = TOKEN, realm_id: str = REALM) -> tuple[str, ...]:
    statement = select("Bill", order_by=("MetaData.CreateTime", "Id"))
    return client.query(statement, realm_id=realm_id, access_token=token).objects


def test_a_page_comes_whole_through_gzip(client: QboClient, qbo: ScriptedQbo) -> None:
    qbo.books.add("Bill", "1", PrivateNote='naïve }]" \\ 😀')
    assert _bills(client) == (qbo.books.texts["Bill"][0][1],)


def test_a_long_statement_goes_in_a_body(client: QboClient, qbo: ScriptedQbo) -> None:
    qbo.script = lambda _path, statement: (
        Answer(body=b'{"QueryResponse": {}}') if statement.startswith("SELECT * FROM Bill WHERE Id IN") else None
    )
    statement = select("Bill", where=[one_of("Id", [str(number) for number in range(1000)])])
    assert client.query(statement, realm_id=REALM, access_token=TOKEN).objects == ()
    assert qbo.requests == [f"POST /v3/company/{REALM}/query"]


def test_a_value_arrives_as_it_was_meant(client: QboClient, qbo: ScriptedQbo) -> None:
    seen: list[str] = []

    def note(_path: str, statement: str) -> Answer:
        seen.append(statement)
        return Answer(body=b'{"QueryResponse": {}}')

    qbo.script = note
    statement = select("Vendor", where=[compare("DisplayName", "=", "R&D+100% 'O\\'Brien' ü #1")])
    client.query(statement, realm_id=REALM, access_token=TOKEN)
    assert seen == [statement.text]


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(Answer(body=b'{"QueryResponse": {}}', sent=9), id="cut"),
        pytest.param(Answer(body=b"not gzip", headers={"Content-Encoding": "gzip"}), id="broken gzip"),
        pytest.param(Answer(body=b"\xff\xfe{}"), id="no UTF-8"),
        pytest.param(Answer(body=b"<!DOCTYPE html>"), id="HTML"),
    ],
)
def test_an_answer_that_is_not_whole_is_no_answer(client: QboClient, qbo: ScriptedQbo, answer: Answer) -> None:
    qbo.script = lambda _path, _statement: answer
    with pytest.raises(QboUnavailable, match="a query of Bill"):
        _bills(client)


def test_a_silent_server_is_given_up(client: QboClient, qbo: ScriptedQbo) -> None:
    def slow(_path: str, _statement: str) -> Answer:
        time.sleep(0.8)
        return Answer()

    qbo.script = slow
    with pytest.raises(QboUnavailable, match="in time"):
        _bills(client)


def test_nobody_there_is_unavailable() -> None:
    with QboClient(url="https://127.0.0.1:9", timeout_seconds=0.5) as client, pytest.raises(QboUnavailable) as caught:
        _bills(client)
    assert caught.value.__cause__ is None
    assert "status.developer.intuit.com" in caught.value.next_step


def test_a_local_quickbooks_that_does_not_run_is_told_with_what_starts_it() -> None:
    with QboClient(url="http://127.0.0.1:9", timeout_seconds=0.5) as client, pytest.raises(QboUnavailable) as caught:
        _bills(client)
    assert caught.value.what == "The local QuickBooks at http://127.0.0.1:9 does not answer."
    assert "`runway dagster`" in caught.value.next_step
    assert "`runway sandbox --port 9`" in caught.value.next_step
    assert "intuit.com" not in str(caught.value)


def test_a_redirect_is_not_followed_with_the_token(client: QboClient, qbo: ScriptedQbo) -> None:
    qbo.script = lambda path, _: (
        Answer(status=302, headers={"Location": f"{qbo.url}/elsewhere"}) if path != "/elsewhere" else None
    )
    with pytest.raises(QboRefused, match="redirect"):
        _bills(client)
    assert not any("elsewhere" in request for request in qbo.requests)


def test_a_bad_token_and_a_wrong_company_are_told_apart(client: QboClient) -> None:
    with pytest.raises(QboAuthExpired) as caught:
        _bills(client, token=Secret("canary-token"))
    assert "canary" not in f"{caught.value} {caught.value!r}"
    with pytest.raises(QboNotAuthorised):
        _bills(client, realm_id="1")


@pytest.mark.parametrize("realm_id", ["", "../admin", "1/2", "\uff11\uff12", "9" * 33, "1?x"])
def test_a_realm_id_is_digits(client: QboClient, qbo: ScriptedQbo, realm_id: str) -> None:
    with pytest.raises(ValueError, match="realm id"):
        _bills(client, realm_id=realm_id)
    assert qbo.requests == []


@pytest.mark.parametrize("url", ["http://quickbooks.api.intuit.com", "ftp://127.0.0.1", "quickbooks.api.intuit.com"])
def test_only_this_machine_is_spoken_to_without_https(url: str) -> None:
    with pytest.raises(ValueError, match="https"):
        QboClient(url=url)


def test_a_hundred_calls_that_hang_keep_no_line_from_another(qbo: ScriptedQbo) -> None:
    qbo.access_tokens = {"access-0"}
    waiting, answered = threading.Semaphore(0), threading.Event()

    def hang(path: str, _body: str) -> None:
        if "/company/9/" in path:
            waiting.release()
            answered.wait(20)

    qbo.script = hang
    with QboClient(url=qbo.url, timeout_seconds=30) as client, ThreadPoolExecutor(101) as pool:
        try:
            for _ in range(101):
                pool.submit(client.singleton, "CompanyInfo", realm_id="9", access_token=TOKEN)
            for _ in range(101):
                assert waiting.acquire(timeout=20)
            assert client.singleton("CompanyInfo", realm_id=REALM, access_token=TOKEN).entity == "CompanyInfo"
        finally:
            answered.set()
