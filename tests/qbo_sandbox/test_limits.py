"""Documented limits, the meter of CorePlus calls and its quota, in the sandbox's own time."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.qbo_sandbox.client import Company, move_clock, new_company
from tests.sandbox import Sandbox, start_sandbox

NOON = datetime(2026, 12, 10, 20, tzinfo=UTC)


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox whose time stands still until a test moves it."""
    with start_sandbox(tmp_path_factory.mktemp("limits")) as running:
        move_clock(running.control, to=NOON, frozen=True)
        yield running


@pytest.fixture
def limited(standing: Sandbox) -> Company:
    """A company under the documented limits, an hour after the test before."""
    move_clock(standing.control, by=timedelta(hours=1))
    company = new_company(standing)
    company.settings(throttled=True)
    return company


def violations(company: Company) -> dict[str, Any]:
    found = company.http.get("/__sandbox__/limits").json()
    return {entry["limit"]: entry["count"] for entry in found["by_limit"] if entry["realm"] == company.realm_id}


def statuses(company: Company, count: int) -> list[int]:
    return [company.get("preferences").status_code for _ in range(count)]


def test_ten_requests_a_second(limited: Company) -> None:
    assert statuses(limited, 12) == [200] * 10 + [429] * 2
    move_clock(limited.http, by=timedelta(seconds=1))
    assert statuses(limited, 1) == [200]
    assert violations(limited) == {"requests_a_second": 2}


def test_five_hundred_requests_a_minute(limited: Company) -> None:
    limited.settings(requests_a_second=1000, requests_a_minute=20)
    assert statuses(limited, 21) == [200] * 20 + [429]
    move_clock(limited.http, by=timedelta(seconds=59))
    assert statuses(limited, 1) == [429]
    move_clock(limited.http, by=timedelta(seconds=1))
    assert statuses(limited, 1) == [200]


def test_forty_batches_a_minute(limited: Company) -> None:
    limited.settings(requests_a_second=1000, batches_a_minute=2)
    batch = {"BatchItemRequest": [{"bId": "1", "Query": "select * from Term"}]}
    assert [limited.post("batch", batch).status_code for _ in range(3)] == [200, 200, 429]
    assert statuses(limited, 1) == [200]


def test_limits_are_counted_even_when_they_are_not_enforced(limited: Company) -> None:
    limited.settings(throttled=False)
    assert statuses(limited, 11) == [200] * 11
    assert violations(limited) == {"requests_a_second": 1}


@pytest.mark.parametrize(("form", "content_type"), [("xml", "application/xml"), ("json", "application/json")])
def test_a_throttle_answer_comes_in_either_form(limited: Company, form: str, content_type: str) -> None:
    limited.settings(throttle_body=form, throttle_retry_after=form == "json", requests_a_second=1)
    statuses(limited, 1)
    answer = limited.get("preferences")
    assert answer.status_code == 429
    assert answer.headers["content-type"] == content_type
    assert answer.headers.get("retry-after") == ("60" if form == "json" else None)
    assert "message=ThrottleExceeded; errorCode=003001; statusCode=429" in answer.text


def meter(http: httpx.Client) -> int:
    used: int = http.get("/__sandbox__/meter").json()["used"]
    return used


def test_reads_and_batches_are_metered_and_single_writes_are_not(limited: Company) -> None:
    limited.settings(throttled=False)
    before = meter(limited.http)
    limited.get("preferences")
    limited.query("select * from Term")
    limited.http.post(f"{limited.root}/query", content="select * from Term", headers=limited.headers)
    limited.get("cdc", entities="Term", changedSince="2026-12-08T00:00:00Z")
    two = {"BatchItemRequest": [{"bId": str(n), "Query": "select * from Term"} for n in range(2)]}
    limited.post("batch", two)
    assert meter(limited.http) - before == 5
    limited.create("Term", {"Name": "Net 7", "DueDays": 7})
    limited.get("bill/999999")
    assert meter(limited.http) - before == 5
    limited.settings(batch_metering="item")
    limited.post("batch", two)
    assert meter(limited.http) - before == 7


def test_past_its_quota_the_app_is_blocked_everywhere_until_the_month_ends(limited: Company, standing: Sandbox) -> None:
    limited.settings(throttled=False)
    other = new_company(standing)
    quota = {"monthly_quota": meter(standing.control) + 2, "access_token_seconds": 10_000_000}
    standing.control.post("/__sandbox__/settings", json=quota).raise_for_status()
    assert statuses(limited, 3) == [200, 200, 429]
    assert other.get("preferences").status_code == 429
    assert limited.post("term", {"Name": "Net 8", "DueDays": 8}).status_code == 200
    move_clock(standing.control, to=datetime(2027, 1, 1, 7, 59, tzinfo=UTC))
    assert new_company(standing).get("preferences").status_code == 429
    move_clock(standing.control, to=datetime(2027, 1, 1, 8, 1, tzinfo=UTC))
    assert new_company(standing).get("preferences").status_code == 200
