"""Companies that live on: what happens, that it is reproducible, and that the books still tie out."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from qbo_sandbox.company import Company as Books
from qbo_sandbox.faults import QboFault
from qbo_sandbox.generate.companies import build_company
from qbo_sandbox.living import deeds, next_operation
from qbo_sandbox.operations import apply
from qbo_sandbox.spec import CompanySpec
from qbo_sandbox.truth import truth
from tests.qbo_sandbox.client import Company, connect, exact, move_clock, new_company
from tests.sandbox import Sandbox

SPEC = CompanySpec(
    realm_id="9",
    name="Alder Agency",
    industry="marketing_agency",
    size="micro",
    seed=1,
    as_of=date(2026, 11, 20),
    zone="America/New_York",
)
START = datetime(2026, 11, 20, 15, tzinfo=UTC)


def live(seed: int, count: int) -> tuple[Books, Counter[str]]:
    books, done = build_company(SPEC), Counter[str]()
    dice = Random(seed)  # noqa: S311 - a reproducible life, not a secret
    for number in range(count):
        found = next_operation(books, at=START + timedelta(minutes=number), dice=dice)
        if found is None:
            continue
        try:
            apply(books, found[1])
            done[found[0]] += 1
        except QboFault as fault:
            done[f"refused {fault.code}"] += 1
    return books, done


def texts(books: Books) -> list[str]:
    return [books.text(stored) for objects in books.objects.values() for stored in objects.values()]


def test_everything_happens_in_a_long_life_and_the_books_tie_out() -> None:
    books, done = live(3, 1500)
    assert {
        "bill", "back-dated bill", "vendor credit", "bill payment", "applied credit", "invoice", "credit memo",
        "sales receipt", "payment", "deposit", "purchase", "edited bill", "edited invoice", "renamed vendor", "void",
        "delete", "merge", "inactivation",
    } <= set(done)  # fmt: skip
    assert books.gone["Bill"]
    assert books.gone["Vendor"]
    assert sum(books.ledger.balances.values()) == 0
    told = truth(books, basis="known", day=date(2030, 1, 1))
    for side, of, sign in (("payables", "vendor", -1), ("receivables", "customer", 1)):
        balances = sum(books.ledger.parties[party] for party in books.objects[of.capitalize()])
        assert told[side][f"{of}_balances_cents"] == sign * told[side]["account_cents"] == balances
        assert sum(told[side]["ageing"].values()) == balances


def test_the_same_seed_gives_the_same_life() -> None:
    assert texts(live(5, 200)[0]) == texts(live(5, 200)[0])
    assert texts(live(5, 200)[0]) != texts(live(6, 200)[0])


def step(company: Company, **asked: Any) -> dict[str, Any]:
    answer: dict[str, Any] = company.control("step", asked)
    return answer


def test_a_step_moves_the_clock_and_shows_in_the_change_data(own_sandbox: Sandbox) -> None:
    company = new_company(own_sandbox)
    before = move_clock(own_sandbox.control, to=datetime(2026, 11, 23, 15, tzinfo=UTC), frozen=True)
    told = step(company, days=3, seed=4, operations=20)
    assert datetime.fromisoformat(told["now"]) == before + timedelta(days=3)
    assert sum(told["done"].values()) > 40
    again = connect(own_sandbox.control, company.realm_id)
    answer = again.get("cdc", entities="Bill,Invoice,BillPayment,Vendor", changedSince=before.isoformat()).json()
    assert sum(part.get("maxResults", 0) for part in answer["CDCResponse"][0]["QueryResponse"]) > 10


def test_a_step_without_moving_the_clock_enters_everything_now(company: Company) -> None:
    before = datetime.fromisoformat(company.http.get("/__sandbox__/clock").json()["now"])
    step(company, days=1, seed=1, operations=5, move_clock=False)
    after = datetime.fromisoformat(company.http.get("/__sandbox__/clock").json()["now"])
    assert after - before < timedelta(minutes=1)
    assert company.get("preferences").status_code == 200


def test_the_truth_of_a_living_company_agrees_with_a_fresh_read(company: Company) -> None:
    step(company, days=2, seed=11, operations=40, move_clock=False)
    told = company.http.get(f"/__sandbox__/realms/{company.realm_id}/truth", params={"day": "2030-01-01"}).json()
    open_cents = {item["id"]: item["open_cents"] for item in told["payables"]["open"] if item["txn_type"] == "Bill"}
    read = {row["Id"]: int(Decimal(row["Balance"]) * 100) for row in company.rows("select * from Bill maxresults 1000")}
    assert open_cents == {key: cents for key, cents in read.items() if cents}
    balances = [Decimal(row["Balance"]) for row in company.rows("select * from Vendor where Active in (true,false)")]
    assert sum(balances) * 100 == told["payables"]["vendor_balances_cents"]


def test_a_last_updated_time_can_lie_in_the_future(company: Company) -> None:
    account = company.rows("select * from Account where AccountType = 'Credit Card' maxresults 1")[0]
    future = datetime.now(tz=UTC) + timedelta(days=33)
    company.control("touch", {"entity": "Account", "id": account["Id"], "at": future.isoformat()})
    read = company.rows(f"select * from Account where Id = '{account['Id']}'")[0]  # noqa: S608 - the QuickBooks query language
    assert datetime.fromisoformat(read["MetaData"]["LastUpdatedTime"]) == future.replace(microsecond=0)
    assert read["SyncToken"] == account["SyncToken"]


def test_every_version_of_an_object_is_told_to_tests(company: Company) -> None:
    made = company.create("Term", {"Name": "Net 21", "DueDays": 21})
    company.create("Term", {"Id": made["Id"], "SyncToken": "0", "sparse": True, "DueDays": 22})
    told = company.control(f"versions/Term/{made['Id']}", method="GET")
    assert [version["body"]["DueDays"] for version in told["versions"]] == [21, 22]
    assert told["deleted_at"] is None


@pytest.mark.parametrize("wrong", [{"days": 0, "seed": 1}, {"days": 1}, {"days": 1, "seed": 1, "speed": 2}])
def test_a_step_that_cannot_be_meant_is_refused(company: Company, wrong: dict[str, Any]) -> None:
    answer = company.http.post(f"/__sandbox__/realms/{company.realm_id}/step", json=wrong)
    assert answer.status_code == 400


def test_deeds_can_be_asked_for_by_name(sandbox: Sandbox) -> None:
    company = new_company(sandbox, seed=6)
    done = company.control("step", {"days": 1, "seed": 4, "deeds": list(deeds()) * 12, "move_clock": False})["done"]
    assert set(deeds()) <= set(done)
    before = company.rows("select * from JournalEntry")
    one = company.control("step", {"days": 1, "seed": 5, "deeds": ["journal entry"], "move_clock": False})["done"]
    assert one == {"journal entry": 1}
    assert len(company.rows("select * from JournalEntry")) == len(before) + 1


def test_an_unknown_deed_is_refused_with_the_list_of_all(sandbox: Sandbox) -> None:
    company = new_company(sandbox, seed=6)
    path = f"/__sandbox__/realms/{company.realm_id}/step"
    answer = company.http.post(path, json={"days": 1, "seed": 1, "deeds": ["bil"]})
    assert answer.is_client_error
    assert "back-dated bill" in answer.text


def test_all_objects_can_be_read_straight_from_the_books(sandbox: Sandbox) -> None:
    company = new_company(sandbox, seed=7)
    found = exact(company.http.get(f"/__sandbox__/realms/{company.realm_id}/objects"))
    assert found["CompanyInfo"]["1"] == exact(company.get("companyinfo/1"))["CompanyInfo"]
    bills = company.rows("select * from Bill maxresults 1000")
    assert found["Bill"] == {bill["Id"]: bill for bill in bills}
