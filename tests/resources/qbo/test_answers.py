"""The recorded forms of success and failure, and the one error each stands for."""

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.qbo.answers import RawAnswer, query_page, single_object
from resources.qbo.errors import (
    QboAuthExpired,
    QboContradiction,
    QboError,
    QboNotAuthorised,
    QboQuotaExhausted,
    QboRefused,
    QboThrottled,
    QboUnavailable,
)
from tests.resources.qbo.builders import make, text

TID = "1-5f74b3a0-1234567890abcdef12345678"
CANARY = "canary-eyJlbmMiOiJBMTI4Q0JDLUhTMjU2In0"

_EXPIRED = (
    '{"warnings":null,"intuitObject":null,"fault":{"error":[{"message":"message=AuthenticationFailed; '
    'errorCode=003200; statusCode=401","detail":"Token expired: ' + CANARY + '","code":"3200","element":null}],'
    '"type":"AUTHENTICATION"},"report":null,"queryResponse":null,"batchItemResponse":[],"time":1601391072830}'
)
_XML_THROTTLE = (
    '<?xml version="1.0" encoding="UTF-8"?><IntuitResponse xmlns="http://schema.intuit.com/finance/v3" time="2020">'
    '<Fault type="SERVICE"><Error code="3001"><Message>message=ThrottleExceeded; errorCode=003001; statusCode=429'
    f"</Message><Detail>The request limit was reached. Try again later {CANARY}</Detail></Error></Fault></IntuitResponse>"
)


def fault(code: str, *, kind: str = "ValidationFault") -> str:
    return (
        f'{{"Fault":{{"Error":[{{"Message":"{CANARY}","Detail":"{CANARY}","code":"{code}","element":""}}],'
        f'"type":"{kind}"}},"time":"2020-09-29T07:51:12.830-07:00"}}'
    )


def gateway(code: str) -> str:
    return f'{{"fault":{{"error":[{{"message":"m","detail":"{CANARY}","code":"{code}","element":null}}]}},"time":1601}}'


def answer(status: int, body: str, **headers: str) -> RawAnswer:
    return RawAnswer(call="a query of Bill", status=status, headers={"intuit_tid": TID, **headers}, text=body)


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        pytest.param(401, _EXPIRED, QboAuthExpired, id="recorded 401"),
        pytest.param(200, _EXPIRED, QboAuthExpired, id="3200 inside a 200"),
        pytest.param(401, "", QboAuthExpired, id="401 without body"),
        pytest.param(403, gateway("3100"), QboNotAuthorised, id="wrong realm"),
        pytest.param(403, "<html>Forbidden</html>", QboNotAuthorised, id="403 of a proxy"),
        pytest.param(400, fault("120"), QboNotAuthorised, id="user lost access"),
        pytest.param(403, fault("5020"), QboRefused, id="permission denied for one thing"),
        pytest.param(429, _XML_THROTTLE, QboThrottled, id="throttled in XML"),
        pytest.param(429, gateway("3001"), QboThrottled, id="throttled in JSON"),
        pytest.param(403, _XML_THROTTLE, QboThrottled, id="throttled as in 2016"),
        pytest.param(429, "", QboThrottled, id="429 without body"),
        pytest.param(429, '{"error":"Monthly CorePlus quota exceeded"}', QboQuotaExhausted, id="quota"),
        pytest.param(500, fault("10000", kind="SystemFault"), QboUnavailable, id="system fault"),
        pytest.param(503, "<html>maintenance</html>", QboUnavailable, id="maintenance"),
        pytest.param(504, "", QboUnavailable, id="cut after two minutes"),
        pytest.param(408, "", QboUnavailable, id="timed out"),
        pytest.param(200, "<html>Sign in</html>", QboUnavailable, id="HTML with 200"),
        pytest.param(200, "", QboUnavailable, id="nothing with 200"),
        pytest.param(200, '{"QueryResponse":{"Bill":[{"Id":"1"},{"Id', QboUnavailable, id="truncated"),
        pytest.param(200, '{"time":"2026-05-05T03:14:55.076-07:00"}', QboUnavailable, id="no QueryResponse"),
        pytest.param(200, '{"QueryResponse":{}} trailing', QboUnavailable, id="more than one value"),
        pytest.param(200, "[]", QboUnavailable, id="a list"),
        pytest.param(400, fault("4001"), QboRefused, id="invalid query"),
        pytest.param(200, fault("610"), QboRefused, id="a fault inside a 200"),
        pytest.param(404, "<html>", QboRefused, id="unknown address"),
        pytest.param(302, "", QboRefused, id="redirect"),
    ],
)
def test_each_form_of_failure_is_one_error_that_quotes_nothing(
    status: int, body: str, expected: type[QboError]
) -> None:
    with pytest.raises(QboError) as caught:
        query_page(answer(status, body), entity="Bill")
    assert type(caught.value) is expected
    assert CANARY not in f"{caught.value!r} {caught.value} {caught.value.__cause__!r}"
    assert caught.value.what
    assert caught.value.next_step
    assert caught.value.intuit_tid == TID
    assert TID in str(caught.value) or status == 200


def test_a_refusal_names_its_codes_in_our_words() -> None:
    body = fault("4001").replace("}],", '},{"code":"99999"},{"code":"x<script>"}],')
    with pytest.raises(QboRefused, match=r"4001 \(the query is not valid\), 99999, status 400") as caught:
        query_page(answer(400, body), entity="Bill")
    assert caught.value.codes == ("4001", "99999")


@pytest.mark.parametrize(
    ("header", "seconds"), [("60", 60.0), ("999999999999", 999999999.0), ("soon", None), ("-1", None)]
)
def test_retry_after_is_taken_when_it_is_a_sane_number(header: str, seconds: float | None) -> None:
    with pytest.raises(QboThrottled) as caught:
        query_page(answer(429, "", **{"retry-after": header}), entity="Bill")
    assert caught.value.retry_after == seconds


def test_a_tid_of_another_form_is_not_repeated() -> None:
    with pytest.raises(QboUnavailable) as caught:
        query_page(RawAnswer(call="a query", status=500, headers={"intuit_tid": "<b>\n"}, text=""), entity="Bill")
    assert caught.value.intuit_tid == ""
    assert "<b>" not in str(caught.value)


def test_nothing_found_is_an_empty_page() -> None:
    page = query_page(answer(200, '{"QueryResponse": {}, "time": "2026-05-05T03:14:55.076-07:00"}'), entity="Bill")
    assert page.objects == ()
    assert page.time == datetime(2026, 5, 5, 10, 14, 55, 76_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "time"),
    [
        ("1601391072830", datetime(2020, 9, 29, 14, 51, 12, 830_000, tzinfo=UTC)),
        ('"2026-05-05T03:14:55.076"', None),
        ('"yesterday"', None),
        ("1E+60", None),
        ("null", None),
        ("[]", None),
    ],
)
def test_the_servers_time_is_read_or_left_out(written: str, time: datetime | None) -> None:
    assert query_page(answer(200, f'{{"QueryResponse": {{}}, "time": {written}}}'), entity="Bill").time == time


def test_a_page_gives_each_objects_exact_text_past_what_else_is_there() -> None:
    bills = [text(make("Bill", "1", PrivateNote='}]"\\{[')), '{"Id":"2", "TotalAmt": 1.10 }']
    body = f'{{"QueryResponse": {{"startPosition":1,"Bill":[{bills[0]} ,\n{bills[1]}],"maxResults":2}},"time":"t"}}'
    assert list(query_page(answer(200, body), entity="Bill").objects) == bills


def test_one_object_is_read_from_its_envelope() -> None:
    body = '{"CompanyInfo": {"Id": "1"}, "time": "2026-05-05T03:14:55.076-07:00"}'
    assert single_object(answer(200, body), entity="CompanyInfo").objects == ('{"Id": "1"}',)
    with pytest.raises(QboContradiction):
        single_object(answer(200, '{"time": "x"}'), entity="CompanyInfo")


@given(st.integers(100, 599), st.text(), st.dictionaries(st.sampled_from(["intuit_tid", "retry-after"]), st.text()))
def test_whatever_comes_back_is_a_page_or_a_qbo_error(status: int, body: str, headers: dict[str, str]) -> None:
    with suppress(QboError):
        query_page(RawAnswer(call="a query", status=status, headers=headers, text=body), entity="Bill")
