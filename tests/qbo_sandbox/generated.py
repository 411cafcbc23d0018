"""Generated companies for tests, each built once per test process, and readings of their books."""

import hashlib
from collections.abc import Iterator
from datetime import date, datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import simplejson

from qbo_sandbox.company import Company
from qbo_sandbox.entities import TRANSACTIONS
from qbo_sandbox.generate.companies import build_company
from qbo_sandbox.spec import INDUSTRIES, CompanySpec, Industry, Size

AS_OF = date(2026, 11, 20)
ZONE = ZoneInfo("America/Chicago")

#: Every industry at micro and small, and one medium: the sample of `make test`.
SAMPLE = [
    *(pytest.param(industry, size, id=f"{industry}-{size}") for industry in INDUSTRIES for size in ("micro", "small")),
    pytest.param("construction", "medium", id="construction-medium"),
]
#: All fifteen combinations; the other mediums run in `make test-long`.
ALL = [
    *SAMPLE,
    *(
        pytest.param(industry, "medium", id=f"{industry}-medium", marks=pytest.mark.long)
        for industry in INDUSTRIES
        if industry != "construction"
    ),
]
SMALL = [pytest.param(industry, id=industry) for industry in INDUSTRIES]


def spec_of(industry: Industry, size: Size, *, seed: int = 1) -> CompanySpec:
    """A spec that ends on `AS_OF`."""
    return CompanySpec(
        realm_id="9130357849000011",
        name="Generated Test Company",
        industry=industry,
        size=size,
        seed=seed,
        as_of=AS_OF,
        zone=ZONE.key,
    )


@cache
def generated(industry: Industry, size: Size, seed: int = 1) -> Company:
    """The company of a spec; tests only read it."""
    return build_company(spec_of(industry, size, seed=seed))


# By identity: a company is no dictionary key. Its reference is kept beside, so that no other takes over its identity.
_parsed: dict[tuple[int, str], tuple[Company, list[dict[str, Any]]]] = {}


def bodies(company: Company, entity: str) -> list[dict[str, Any]]:
    """All objects of an entity as a client would parse them, amounts exact; tests only read them."""
    place = (id(company), entity)
    if place not in _parsed:
        texts = [company.text(stored) for stored in company.objects[entity].values()]
        _parsed[place] = company, [simplejson.loads(text, use_decimal=True) for text in texts]
    return _parsed[place][1]


def cents(amount: Any) -> int:
    """Whole cents of a parsed amount."""
    scaled = amount * 100
    assert scaled == int(scaled), amount
    return int(scaled)


def entered_on(body: dict[str, Any]) -> date:
    """The day of entry in the company's zone."""
    return entered_at(body).date()


def entered_at(body: dict[str, Any]) -> datetime:
    """The instant of entry on the company's clock."""
    return datetime.fromisoformat(body["MetaData"]["CreateTime"]).astimezone(ZONE)


def txn_date(body: dict[str, Any]) -> date:
    """The date of a transaction."""
    return date.fromisoformat(body["TxnDate"])


def transactions(company: Company) -> Iterator[tuple[str, dict[str, Any]]]:
    """All transactions with their entity."""
    for entity in TRANSACTIONS:
        for body in bodies(company, entity):
            yield entity, body


def accounts_of(company: Company, **wanted: str) -> set[str]:
    """Ids of the accounts with these properties."""
    return {
        body["Id"]
        for body in bodies(company, "Account")
        if all(body.get(name) == value for name, value in wanted.items())
    }


def cash_accounts(company: Company) -> set[str]:
    """Bank accounts that hold the company's own money."""
    return accounts_of(company, AccountType="Bank") - accounts_of(company, AccountSubType="TrustAccounts")


def fingerprint(company: Company) -> str:
    """A digest over the text of every object and over habits and defects."""
    digest = hashlib.sha256()
    for entity, stored in company.objects.items():
        for one in stored.values():
            digest.update(f"{entity} {company.text(one)}\n".encode())
    for customer_id, habit in company.habits.items():
        digest.update(f"{customer_id} {habit.to_json()}\n".encode())
    for defect in company.defects:
        digest.update(f"{defect.to_json()}\n".encode())
    return digest.hexdigest()
