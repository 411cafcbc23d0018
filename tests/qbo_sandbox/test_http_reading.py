"""Reading over HTTP: envelopes, headers, the gateway's refusals."""

import re
import threading
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from xml.etree import ElementTree

import httpx
import pytest

from tests.qbo_sandbox.client import Company, exact, new_company
from tests.sandbox import Sandbox

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}-0[78]:00")


def test_a_page_counts_what_it_returns(reading: Company) -> None:
    answer = reading.query("select * from Bill orderby Id startposition 3 maxresults 2")
    body = answer.json()
    assert set(body) == {"QueryResponse", "time"}
    assert TIME.fullmatch(body["time"])
    page = body["QueryResponse"]
    assert (len(page["Bill"]), page["startPosition"], page["maxResults"], page["totalCount"]) == (2, 3, 2, 2)
    assert "totalCount" not in reading.query("select * from Vendor").json()["QueryResponse"]


@pytest.mark.parametrize(
    "statement", ["select * from Bill where Id = '999999'", "select * from Bill startposition 100000"]
)
def test_nothing_found_is_an_empty_object(reading: Company, statement: str) -> None:
    answer = reading.query(statement)
    assert answer.status_code == 200
    assert answer.json()["QueryResponse"] == {}


def test_counting_gives_only_the_count(reading: Company) -> None:
    count = reading.query("select count(*) from Bill").json()["QueryResponse"]
    assert set(count) == {"totalCount"}
    assert count["totalCount"] == len(reading.rows("select * from Bill maxresults 1000"))


def test_a_query_can_be_posted_in_both_recorded_ways(reading: Company) -> None:
    statement = "select * from Term"
    by_body = reading.http.post(
        f"{reading.root}/query", content=statement, headers={**reading.headers, "Content-Type": "application/text"}
    )
    by_address = reading.http.post(
        f"{reading.root}/query",
        params={"query": statement},
        headers={**reading.headers, "Content-Type": "text/plain"},
    )
    expected = reading.query(statement).json()["QueryResponse"]
    assert by_body.json()["QueryResponse"] == by_address.json()["QueryResponse"] == expected


def test_headers_are_the_recorded_ones(reading: Company) -> None:
    answer = reading.get("preferences")
    assert answer.headers["content-type"] == "application/json;charset=utf-8"
    assert re.fullmatch(r"1-[0-9a-f]{8}-[0-9a-f]{24}", answer.headers["intuit_tid"])
    assert re.fullmatch(r"total=\d+, db=\d+", answer.headers["service-time"])
    assert {"qbo-version", "cache-control", "expires", "strict-transport-security"} <= set(answer.headers)
    refused = reading.query("select * from Nothing")
    assert refused.headers["content-type"] == "application/json"
    assert refused.headers["intuit_tid"] != answer.headers["intuit_tid"]


def test_large_answers_are_compressed_on_request(reading: Company) -> None:
    answer = reading.query("select * from Bill maxresults 100")
    assert answer.headers["content-encoding"] == "gzip"


def test_money_arrives_exact_as_numbers_and_both_forms_occur(reading: Company) -> None:
    bills = exact(reading.query("select * from Bill maxresults 1000"))["QueryResponse"]["Bill"]
    totals = [bill["TotalAmt"] for bill in bills]
    assert any(isinstance(total, Decimal) for total in totals)
    assert all(total == total.quantize(Decimal("0.01")) for total in totals if isinstance(total, Decimal))
    assert all(sum(line["Amount"] for line in bill["Line"]) == bill["TotalAmt"] for bill in bills)
    assert ',"Balance":0,' in reading.query("select * from Bill where Balance = 0").text


def test_reading_one_object(reading: Company) -> None:
    bill = reading.rows("select * from Bill maxresults 1")[0]
    answer = reading.get(f"bill/{bill['Id']}")
    assert exact(answer)["Bill"] == bill
    assert bill["domain"] == "QBO"
    assert bill["sparse"] is False


def test_company_info_is_read_by_the_realm_id_and_is_number_one(reading: Company) -> None:
    info = reading.get(f"companyinfo/{reading.realm_id}").json()["CompanyInfo"]
    assert info["Id"] == "1"
    assert info["DefaultTimeZone"] == "America/New_York"
    assert reading.rows("select * from CompanyInfo") == [exact(reading.get("companyinfo/1"))["CompanyInfo"]]
    assert reading.get("preferences").json()["Preferences"]["Id"] == "1"


@pytest.mark.parametrize(
    ("path", "code"), [("bill/999999", "610"), ("bill/1.5", "2030"), ("nothing/1", "500"), ("bill/1/2/3", "500")]
)
def test_reading_what_is_not_there(reading: Company, path: str, code: str) -> None:
    answer = reading.get(path)
    assert answer.status_code == 400
    fault = answer.json()["Fault"]
    assert fault["type"] == "ValidationFault"
    assert fault["Error"][0]["code"] == code


def test_minor_versions_and_the_format_parameter_are_tolerated(reading: Company) -> None:
    for params in ({}, {"minorversion": "4"}, {"format": "json"}):
        answer = reading.http.get(f"{reading.root}/preferences", params=params, headers=reading.headers)
        assert answer.status_code == 200


def test_a_bad_token_meets_the_gateways_envelope(reading: Company) -> None:
    answer = reading.http.get(f"{reading.root}/preferences", headers={"Authorization": "Bearer nonsense"})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="Intuit", error="invalid_token"'
    body = answer.json()
    assert list(body) == [
        "warnings", "intuitObject", "fault", "report", "queryResponse", "batchItemResponse", "attachableResponse",
        "syncErrorResponse", "requestId", "time", "status", "cdcresponse",
    ]  # fmt: skip
    error = body["fault"]["error"][0]
    assert error["message"] == "message=AuthenticationFailed; errorCode=003200; statusCode=401"
    assert error["code"] == "3200"
    assert "nonsense" in error["detail"]
    assert isinstance(body["time"], int)
    assert reading.http.get(f"{reading.root}/preferences").status_code == 401


def test_a_good_token_does_not_open_another_company(sandbox: Sandbox, reading: Company) -> None:
    other = new_company(sandbox)
    for realm_id in (other.realm_id, "404"):
        answer = reading.http.get(f"/v3/company/{realm_id}/preferences", headers=reading.headers)
        assert answer.status_code == 403
        assert answer.json()["fault"]["error"][0]["code"] == "3100"


def test_the_truth_agrees_with_what_a_client_reads(reading: Company) -> None:
    told = reading.http.get(f"/__sandbox__/realms/{reading.realm_id}/truth", params={"day": "2026-11-20"}).json()
    accounts = {row["Id"]: row for row in reading.rows("select * from Account where Active in (true, false)")}
    balances = {account["id"]: account["balance_cents"] for account in told["accounts"]}
    assert balances == {key: int(Decimal(row["CurrentBalance"]) * 100) for key, row in accounts.items()}
    bills = {
        row["Id"]: int(Decimal(row["Balance"]) * 100) for row in reading.rows("select * from Bill maxresults 1000")
    }
    open_bills = {item["id"]: item["open_cents"] for item in told["payables"]["open"] if item["txn_type"] == "Bill"}
    assert open_bills == {key: cents for key, cents in bills.items() if cents}


def test_habits_and_defects_are_told_to_tests_only(reading: Company) -> None:
    habits = reading.http.get(f"/__sandbox__/realms/{reading.realm_id}/habits").json()
    customers = {
        row["Id"] for row in reading.rows("select * from Customer where Active in (true,false) maxresults 1000")
    }
    assert set(habits) <= customers
    assert habits
    assert isinstance(reading.http.get(f"/__sandbox__/realms/{reading.realm_id}/defects").json(), list)


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        pytest.param("POST", "companies", {"realm_id": "1"}, 400, id="spec incomplete"),
        pytest.param(
            "POST",
            "companies",
            {
                "realm_id": "1",
                "name": "A",
                "industry": "consulting",
                "size": "micro",
                "seed": 1,
                "as_of": "2026-11-20",
                "zone": "America/New_York",
                "opening": "rich",
            },
            400,
            id="opening unknown",
        ),
        pytest.param("POST", "realms/404/revoke", None, 404, id="unknown realm"),
        pytest.param("GET", "realms/404/truth?day=2026-01-01", None, 404, id="truth of nobody"),
        pytest.param("POST", "realms/*/faults", {"kind": "sunshine"}, 400, id="unknown fault"),
        pytest.param("POST", "clock", {"now": "2026-01-01T00:00:00"}, 400, id="time without zone"),
    ],
)
def test_control_requests_that_cannot_be_meant(
    reading: Company, method: str, path: str, body: dict[str, str | int] | None, status: int
) -> None:
    answer = reading.http.request(method, f"/__sandbox__/{path}", json=body)
    assert answer.status_code == status
    assert answer.json()["error"]


def test_truth_needs_a_day(reading: Company) -> None:
    answer = reading.http.get(f"/__sandbox__/realms/{reading.realm_id}/truth")
    assert answer.status_code == 400


def test_registering_again_changes_nothing_and_another_spec_is_refused(sandbox: Sandbox, reading: Company) -> None:
    spec = next(
        each for each in sandbox.control.get("/__sandbox__/companies").json() if each["realm_id"] == reading.realm_id
    )
    assert sandbox.control.post("/__sandbox__/companies", json=spec).status_code == 200
    assert sandbox.control.post("/__sandbox__/companies", json={**spec, "seed": 99}).status_code == 409


def test_the_request_log_tells_what_was_asked(sandbox: Sandbox) -> None:
    company = new_company(sandbox)
    company.query("select * from Term")
    company.query("select * from Nothing")
    company.get("preferences")
    logged = sandbox.requests(company.realm_id)
    assert [(entry["path"].rpartition("/")[2], entry["status"], entry["metered"]) for entry in logged] == [
        ("query", 200, 1),
        ("query", 400, 0),
        ("preferences", 200, 1),
    ]
    assert "select" in logged[0]["query"]
    assert abs(logged[0]["finished"] - logged[0]["started"]) < 30


def test_other_companies_are_answered_while_one_is_built(sandbox: Sandbox, reading: Company) -> None:
    heavy = new_company(sandbox, size="small", industry="construction", seed=5)
    with httpx.Client(base_url=sandbox.url, timeout=60) as other:
        slow = other.build_request("POST", f"/__sandbox__/realms/{heavy.realm_id}/build")
        answered = _while_running(lambda: other.send(slow), lambda: reading.get("preferences"))
    assert answered >= 3


def _while_running(long: Callable[[], object], short: Callable[[], object]) -> int:
    done = threading.Event()

    def work() -> None:
        long()
        done.set()

    thread = threading.Thread(target=work)
    thread.start()
    count = 0
    while not done.is_set():
        short()
        count += not done.is_set()
    thread.join()
    return count


def test_a_day_of_truth_is_named_in_the_answer(reading: Company) -> None:
    told = reading.http.get(
        f"/__sandbox__/realms/{reading.realm_id}/truth", params={"day": "2026-06-30", "basis": "dated"}
    ).json()
    assert (told["day"], told["basis"], told["instant"]) == (date(2026, 6, 30).isoformat(), "dated", None)


def test_without_asking_for_json_the_answer_is_xml(reading: Company) -> None:
    statement = "select * from Bill maxresults 1"
    headers = {"Authorization": f"Bearer {reading.access_token}"}
    answer = reading.http.get(f"{reading.root}/query", params={"query": statement}, headers=headers)
    assert answer.headers["content-type"] == "application/xml"
    names = {"v3": "http://schema.intuit.com/finance/v3"}
    response = ElementTree.fromstring(answer.text)  # noqa: S314 - our own answer
    page = response.find("v3:QueryResponse", names)
    assert page is not None
    assert page.attrib == {"startPosition": "1", "maxResults": "1", "totalCount": "1"}
    bill = reading.rows(statement)[0]
    assert page.findtext("v3:Bill/v3:Id", namespaces=names) == bill["Id"]
    vendor = page.find("v3:Bill/v3:VendorRef", names)
    assert vendor is not None
    assert (vendor.text, vendor.attrib["name"]) == (bill["VendorRef"]["value"], bill["VendorRef"]["name"])
    refused = reading.http.get(f"{reading.root}/query", params={"query": "x"}, headers=headers)
    fault = ElementTree.fromstring(refused.text).find("v3:Fault/v3:Error", names)  # noqa: S314 - our own answer
    assert fault is not None
    assert fault.attrib["code"] == "4000"
    asked = reading.http.get(f"{reading.root}/query", params={"query": statement, "format": "json"}, headers=headers)
    assert asked.json()["QueryResponse"]["maxResults"] == 1


def test_a_company_that_is_dropped_is_served_no_longer_and_its_tokens_are_dead(sandbox: Sandbox) -> None:
    dropped = new_company(sandbox)
    assert dropped.query("select count(*) from Bill").status_code == 200
    assert dropped.http.delete(f"/__sandbox__/companies/{dropped.realm_id}").status_code == 204
    assert dropped.http.get(f"/__sandbox__/realms/{dropped.realm_id}/cash").status_code == 404
    assert dropped.realm_id not in {spec["realm_id"] for spec in dropped.http.get("/__sandbox__/companies").json()}
    assert dropped.query("select count(*) from Bill").status_code == 401
    # The id can be used again, by a company of its own.
    again = new_company(sandbox, realm_id=dropped.realm_id, seed=2)
    assert again.query("select count(*) from Bill").status_code == 200


def test_the_cash_of_every_day_is_the_dated_truth(reading: Company) -> None:
    cash = reading.control("cash", method="GET")
    for day in (*list(cash)[:3], *list(cash)[-3:]):
        told = reading.http.get(
            f"/__sandbox__/realms/{reading.realm_id}/truth", params={"day": day, "basis": "dated"}
        ).json()
        assert told["cash_cents"] == cash[day]
    assert list(cash) == sorted(cash)
