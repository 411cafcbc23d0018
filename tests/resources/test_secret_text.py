"""Secrets do not show, however they are printed."""

import copy
import io
import json
import logging
import pickle
import pprint
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import httpx
import pytest

from resources.secret_text import LogScrubber, Secret, quiet_http_logging, quiet_row_logging, scrub

_CANARY = "canary-AB11762-refresh.token_4711"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Holder:
    token: Secret


@pytest.mark.parametrize(
    "printed",
    [
        pytest.param(repr, id="repr"),
        pytest.param(str, id="str"),
        pytest.param(lambda secret: f"{secret}", id="f-string"),
        pytest.param(lambda secret: f"{secret!r:>20} {secret!s} {secret:>20}", id="f-string with a format"),
        pytest.param(lambda secret: "{} {!r}".format(secret, secret), id="format"),  # noqa: UP032 - the subject
        pytest.param(lambda secret: "%s %r" % (secret, secret), id="percent"),  # noqa: UP031 - the subject
        pytest.param(lambda secret: pprint.pformat({"tokens": [secret]}), id="pprint"),
        pytest.param(lambda secret: repr(_Holder(token=secret)), id="in a dataclass"),
        pytest.param(lambda secret: str(ValueError(secret)), id="in an exception"),
        pytest.param(lambda secret: json.dumps({"token": secret}, default=str), id="json"),
    ],
)
def test_a_secret_does_not_show(printed: Callable[[Secret], str]) -> None:
    text = printed(Secret(_CANARY))
    assert "***" in text
    assert _CANARY not in text


@pytest.mark.parametrize("leave", [pickle.dumps, copy.deepcopy], ids=["pickle", "deepcopy"])
def test_a_secret_is_not_pickled(leave: Callable[[Secret], object]) -> None:
    """A pickle holds everything in the clear, and pickles end up in files."""
    with pytest.raises(TypeError, match="pickled") as caught:
        leave(Secret(_CANARY))
    assert _CANARY not in str(caught.value)


def test_a_secret_is_revealed_on_request_and_compares_by_its_text() -> None:
    assert Secret(_CANARY).reveal() == _CANARY
    assert Secret(_CANARY) == Secret(_CANARY)
    assert Secret(_CANARY) != Secret("another")
    assert Secret(_CANARY) != _CANARY
    assert len({Secret(_CANARY), Secret(_CANARY)}) == 1


@pytest.mark.parametrize(
    "text",
    [
        f"Authorization: Bearer {_CANARY}",
        f"authorization: bearer {_CANARY}",
        "{'Authorization': 'Bearer %s'}" % _CANARY,  # noqa: UP031 - braces
        "Authorization: Basic Y2FuYXJ5LUFCMTE3NjI6c2VjcmV0",
        f"grant_type=refresh_token&refresh_token={_CANARY}",
        f"client_secret={_CANARY}&x=1",
        json.dumps({"access_token": _CANARY, "expires_in": 3600}),
        json.dumps({"refresh_token": _CANARY}, separators=(",", ":")),
        json.dumps({"body": json.dumps({"refresh_token": _CANARY})}),
        repr({"refresh_token": _CANARY}),
        repr(json.dumps({"refresh_token": _CANARY}).encode()),
        f"GET /callback?code={_CANARY}&state=1",
        f"token expired: {_CANARY}",
    ],
)
def test_what_looks_like_a_credential_is_masked(text: str) -> None:
    scrubbed = scrub(text)
    assert "***" in scrubbed
    assert "canary" not in scrubbed
    assert "Y2FuYXJ5" not in scrubbed
    assert scrub(scrubbed).count("***") == scrubbed.count("***")


@pytest.mark.parametrize(
    "text",
    [
        "HTTP status code: 500",
        '{"Fault":{"Error":[{"Message":"Duplicate Document Number","code":"6140"}],"type":"ValidationFault"}}',
        "error code=3200, tid=1-5f3e",
        "the refresh token expires in 100 days",
        "x_refresh_token_expires_in: 8726400",
    ],
)
def test_what_explains_a_failure_stays_readable(text: str) -> None:
    assert scrub(text) == text


@pytest.fixture
def log() -> Iterator[tuple[logging.Logger, io.StringIO]]:
    """A logger whose handler scrubs."""
    stream, logger = io.StringIO(), logging.Logger("test", level=logging.DEBUG)
    handler = logging.StreamHandler(stream)
    handler.addFilter(LogScrubber())
    logger.addHandler(handler)
    yield logger, stream
    handler.close()


def test_the_log_masks_message_arguments_and_traceback(log: tuple[logging.Logger, io.StringIO]) -> None:
    logger, stream = log
    logger.debug("asked with refresh_token=%s", _CANARY)
    logger.info("token %s of %s", Secret(_CANARY), "acme-design")
    try:
        raise RuntimeError(f"401 for Authorization: Bearer {_CANARY}")  # noqa: TRY301 - the subject is its traceback
    except RuntimeError:
        logger.exception("the call failed")
    written = stream.getvalue()
    assert _CANARY not in written
    assert "token *** of acme-design" in written
    assert "Traceback" in written
    assert "the call failed" in written


def test_a_harmless_record_is_left_alone(log: tuple[logging.Logger, io.StringIO]) -> None:
    logger, stream = log
    logger.warning("%d of %d tenants failed", 1, 20)
    assert stream.getvalue() == "1 of 20 tenants failed\n"


def test_http_libraries_do_not_log_requests(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        quiet_http_logging()
        transport = httpx.MockTransport(lambda _: httpx.Response(200))
        with httpx.Client(transport=transport) as client:
            client.get(f"http://localhost/?refresh_token={_CANARY}")
    assert caplog.text == ""


@pytest.mark.parametrize("name", ["httpx", "httpcore.http11", "httpcore.connection"])
def test_http_libraries_stay_quiet_when_somebody_makes_them_loud(caplog: pytest.LogCaptureFixture, name: str) -> None:
    quiet_http_logging()
    with caplog.at_level(logging.DEBUG, logger=name):
        logging.getLogger(name).debug("Location: ?code=%s", _CANARY)
        logging.getLogger(name).warning("what matters is still said")
    assert caplog.messages == ["what matters is still said"]


def test_rows_are_not_logged_when_somebody_makes_the_database_loud(caplog: pytest.LogCaptureFixture) -> None:
    quiet_row_logging()
    with caplog.at_level(logging.DEBUG, logger="sqlalchemy.engine.Engine"):
        logging.getLogger("sqlalchemy.engine.Engine").debug("Row %r", ("a vendor",))
        logging.getLogger("sqlalchemy.engine.Engine").info("SELECT 1")
    assert caplog.messages == ["SELECT 1"]
