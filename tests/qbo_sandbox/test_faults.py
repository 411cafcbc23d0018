"""Misbehaviour on demand, and that what was committed is committed."""

import threading
import time
from datetime import timedelta

import httpx
import pytest

from qbo_sandbox.fault_plan import FaultPlan, FaultSpec
from qbo_sandbox.wire import epoch_seconds
from tests.qbo_sandbox.books import START
from tests.qbo_sandbox.client import Company, exact, new_company
from tests.sandbox import Sandbox


def make_term(company: Company, name: str) -> httpx.Response:
    return company.post("term", {"Name": name, "DueDays": 45})


def terms(company: Company, name: str) -> int:
    company.heal()
    return len(company.rows(f"select * from Term where Name = '{name}'"))  # noqa: S608 - the QuickBooks query language


@pytest.mark.parametrize(("kind", "status"), [("http_500", 500), ("http_503", 503)])
def test_a_server_can_fail_for_ever_before_doing_anything(company: Company, kind: str, status: int) -> None:
    company.fault(kind=kind)
    for _ in range(3):
        assert make_term(company, f"before {kind}").status_code == status
    assert terms(company, f"before {kind}") == 0
    assert company.get("preferences").status_code == 200


def test_a_500_carries_the_system_fault(company: Company) -> None:
    company.fault(kind="http_500", times=1)
    body = company.get("preferences").json()
    assert (body["Fault"]["type"], body["Fault"]["Error"][0]["code"]) == ("SystemFault", "10000")
    assert company.get("preferences").status_code == 200


@pytest.mark.parametrize(("kind", "status"), [("http_500_after", 500), ("http_503_after", 503)])
def test_a_failed_answer_can_hide_a_write_that_happened(company: Company, kind: str, status: int) -> None:
    company.fault(kind=kind)
    assert make_term(company, kind).status_code == status
    assert terms(company, kind) == 1


@pytest.mark.parametrize(("kind", "written"), [("drop_before", 0), ("drop_after", 1)])
def test_a_dropped_connection_says_nothing_about_the_write(company: Company, kind: str, written: int) -> None:
    company.fault(kind=kind)
    with pytest.raises(httpx.RemoteProtocolError):
        make_term(company, kind)
    assert terms(company, kind) == written


def test_a_truncated_answer_is_no_json(company: Company) -> None:
    company.fault(kind="truncated_json")
    answer = make_term(company, "truncated")
    assert answer.status_code == 200
    with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
        exact(answer)
    assert terms(company, "truncated") == 1


@pytest.mark.parametrize("status", [200, 502])
def test_an_html_page_can_stand_where_json_should(company: Company, status: int) -> None:
    company.fault(kind="html_body", status=status)
    answer = company.get("preferences")
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")
    company.heal()


def test_a_throttle_storm_answers_429_in_xml_whatever_the_rate(company: Company) -> None:
    company.fault(kind="throttle_storm", times=2)
    for _ in range(2):
        answer = company.get("preferences")
        assert answer.status_code == 429
        assert answer.headers["content-type"] == "application/xml"
        assert 'code="3001"' in answer.text
        assert "retry-after" not in answer.headers
    assert company.get("preferences").status_code == 200


def test_a_good_token_can_be_refused(company: Company) -> None:
    company.fault(kind="unauthorized", times=1)
    assert company.get("preferences").status_code == 401
    assert company.get("preferences").status_code == 200


def test_latency_delays_and_a_client_that_left_gets_nothing_done(company: Company) -> None:
    company.fault(kind="latency", seconds=0.6)
    started = time.perf_counter()
    assert make_term(company, "patient").status_code == 200
    assert time.perf_counter() - started >= 0.5  # clocks of busy machines step
    finished = _finished(company)
    with pytest.raises(httpx.ReadTimeout):
        company.http.post(
            f"{company.root}/term", json={"Name": "gone"}, headers=company.headers, timeout=httpx.Timeout(5, read=0.1)
        )
    assert _wait_until(lambda: _finished(company) > finished)
    assert terms(company, "gone") == 0


def test_a_slow_write_happens_though_its_client_left(company: Company) -> None:
    company.fault(kind="slow_then_commit", seconds=0.4)
    finished = _finished(company)
    with pytest.raises(httpx.ReadTimeout):
        company.http.post(
            f"{company.root}/term", json={"Name": "slow"}, headers=company.headers, timeout=httpx.Timeout(5, read=0.1)
        )
    assert _wait_until(lambda: _finished(company) > finished)
    assert terms(company, "slow") == 1


def test_a_request_can_be_delivered_twice(company: Company) -> None:
    account = company.rows("select * from Account where AccountType = 'Bank'")[0]["Id"]
    expense = company.rows("select * from Account where AccountType = 'Expense' maxresults 1")[0]["Id"]
    body = {
        "PaymentType": "Cash",
        "AccountRef": {"value": account},
        "PrivateNote": "twice",
        "DocNumber": "TWICE",
        "Line": [
            {
                "Amount": 10,
                "DetailType": "AccountBasedExpenseLineDetail",
                "AccountBasedExpenseLineDetail": {"AccountRef": {"value": expense}},
            }
        ],
    }
    company.fault(kind="double_delivery")
    assert company.post("purchase", body).status_code == 200
    assert company.post("purchase", {**body, "DocNumber": "ONCE"}, requestid="r-1").status_code == 200
    company.heal()
    assert len(company.rows("select * from Purchase where DocNumber = 'TWICE'")) == 2
    assert len(company.rows("select * from Purchase where DocNumber = 'ONCE'")) == 1


def test_faults_of_one_company_do_not_slow_another(sandbox: Sandbox, company: Company) -> None:
    healthy = new_company(sandbox)
    healthy.get("preferences")
    company.fault(kind="latency", seconds=1.5)
    with httpx.Client(base_url=sandbox.url) as http:
        waiting = threading.Thread(
            target=lambda: http.get(f"{company.root}/preferences", headers=company.headers, timeout=10)
        )
        waiting.start()
        started = time.perf_counter()
        for _ in range(5):
            assert healthy.get("preferences").status_code == 200
        assert time.perf_counter() - started < 1.0
        waiting.join()
    company.heal()


def test_faults_choose_their_requests(company: Company) -> None:
    company.fault(kind="http_500", methods=["GET"], path_contains="/query", query_contains="Vendor", skip=1)
    assert company.query("select * from Vendor").status_code == 200
    assert company.query("select * from Vendor").status_code == 500
    assert company.query("select * from Term").status_code == 200
    listed = company.control("faults", method="GET")
    assert [(fault["matched"], fault["hits"]) for fault in listed] == [(2, 1)]
    company.heal()


def test_chance_is_drawn_from_the_seed() -> None:
    def strikes(seed: int) -> list[bool]:
        plan = FaultPlan()
        plan.add("1", FaultSpec(kind="http_500", probability=0.5, seed=seed))
        return [bool(plan.striking("1", method="GET", path="/", query="", now=START)) for _ in range(40)]

    assert strikes(1) == strikes(1)
    assert strikes(1) != strikes(2)
    assert 5 < sum(strikes(1)) < 35


def test_a_schedule_is_kept_in_the_sandboxs_own_time() -> None:
    plan = FaultPlan()
    plan.add("*", FaultSpec(kind="http_503", starts=START, ends=START + timedelta(hours=1)))
    minutes = [-1, 0, 59, 60]
    struck = [
        bool(plan.striking("7", method="GET", path="/", query="", now=START + timedelta(minutes=minute)))
        for minute in minutes
    ]
    assert struck == [False, True, True, False]
    assert epoch_seconds(START) > 0


def _finished(company: Company) -> int:
    answer = company.http.get("/__sandbox__/requests", params={"realm": company.realm_id})
    return sum(request["finished"] is not None for request in answer.json())


def _wait_until(condition: object, *, seconds: float = 20.0) -> bool:
    deadline = time.perf_counter() + seconds
    while time.perf_counter() < deadline:
        if condition():  # type: ignore[operator] # a callable of the test
            return True
        time.sleep(0.02)
    return False
