"""The books as assets: QBO objects as typed tables, and what a week's calculations start from.

Belongs here: loading history, choosing frames and calculators. Does not: how an object becomes a row
(`resources/qbo/frames.py`, `postings.py`), which version counts (`runway_calcs/books/as_of.py`).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import dagster as dg

from assets.desk import LEDGER, Desk, WeekTable, frame_schema, newest_desk, result_schema, week_assets
from assets.ingest import raw_key
from assets.partitions import TENANTS
from assets.schemas import LEDGER_TABLES, MOVEMENT_COLUMNS, OPEN_ITEM_COLUMNS
from assets.tenants import Metadata, for_each_tenant
from resources.installation import Installation, RunWeek
from resources.qbo.bill_lines import bill_lines
from resources.qbo.completing import with_rates
from resources.qbo.frames import accounts, applications, documents, parties, terms
from resources.qbo.home_currency import home_currency as home_currency_of
from resources.qbo.kinds import ENTITIES
from resources.qbo.list_objects import CompanyInfo
from resources.qbo.postings import chart_of_accounts, postings
from resources.tenants import TenantId
from runway_calcs.books.cash import CashPosition, cash_position
from runway_calcs.books.movements import cash_movements
from runway_calcs.books.open_items import Side, open_items

GROUP = "books"
KINDS = {"python", "parquet"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """What the books say about the company itself."""

    name: str
    home_currency: str


def home_currency(desk: Desk) -> str:
    """The home currency of the tenant's books."""
    return desk.result(LEDGER, Company).home_currency


@dg.multi_asset(
    name="books_ledger",
    specs=[
        dg.AssetSpec(
            dg.AssetKey(["books", "company"]),
            group_name=GROUP,
            description="The company as its books describe it: name and home currency.",
            kinds=KINDS,
            deps=[raw_key(kind) for kind in ENTITIES if kind.is_singleton],
            metadata=result_schema(Company),
        ),
        *(
            dg.AssetSpec(
                dg.AssetKey(["books", table.noun]),
                group_name=GROUP,
                description=table.description,
                kinds=KINDS,
                deps=[raw_key(kind) for kind in ENTITIES if kind.entity in table.reads],
                metadata=frame_schema(table.columns),
            )
            for table in LEDGER_TABLES
        ),
    ],
    partitions_def=TENANTS,
)
def books_ledger(
    context: dg.AssetExecutionContext,
    installation: dg.ResourceParam[Installation],
    week: dg.ResourceParam[RunWeek],
) -> Iterator[dg.MaterializeResult[None]]:
    """Every kept version of the books as typed tables; the one place that turns QBO's objects into rows."""

    def work(tenant: TenantId) -> Mapping[dg.AssetKey, Metadata]:
        with newest_desk(tenant, installation=installation, week=week) as desk:
            return make_ledger(desk)

    yield from for_each_tenant(context, work)


def make_ledger(desk: Desk) -> dict[dg.AssetKey, Metadata]:
    """Turn the kept versions of all objects into the ledger's tables."""
    kept = [version for kind in ENTITIES for version in desk.versions(kind)]
    home = home_currency_of(kept)
    versions = with_rates(kept, home_currency=home)
    chart = chart_of_accounts(versions)
    company = max(
        ((at, found) for at, found in versions if isinstance(found, CompanyInfo)), key=lambda version: version[0]
    )
    frames = {
        "accounts": accounts(versions, home_currency=home),
        "parties": parties(versions),
        "terms": terms(versions),
        "documents": documents(versions, home_currency=home),
        "applications": applications(versions, home_currency=home),
        "postings": postings(versions, chart=chart, home_currency=home),
        "bill_lines": bill_lines(versions, chart=chart, home_currency=home),
    }
    metadata = {dg.AssetKey(["books", noun]): desk.put_frame(f"books/{noun}", frame) for noun, frame in frames.items()}
    metadata[dg.AssetKey(["books", "company"])] = desk.put_result(
        LEDGER, Company(name=company[1].company_name, home_currency=home)
    )
    return metadata


def _cash_position(desk: Desk) -> Metadata:
    position = cash_position(
        desk.frame("books/accounts"),
        desk.frame("books/postings"),
        at=desk.at,
        home_currency=home_currency(desk),
        policy=desk.cash_policy,
    )
    return desk.put_result("books/cash_position", position)


def _cash_movements(desk: Desk) -> Metadata:
    moved = cash_movements(
        desk.frame("books/postings"),
        desk.frame("books/accounts"),
        position=desk.result("books/cash_position", CashPosition),
        at=desk.at,
        policy=desk.cash_policy,
    )
    return desk.put_frame("books/cash_movements", moved)


def _open_items(table: str, *, side: Side) -> Callable[[Desk], Metadata]:
    def work(desk: Desk) -> Metadata:
        found = open_items(desk.frame("books/documents"), desk.frame("books/applications"), side=side, at=desk.at)
        return desk.put_frame(table, found)

    return work


POSITIONS = (
    WeekTable(
        key="books/cash_position",
        description="The cash of the chosen bank accounts as known; trust money and undeposited receipts are shown "
        "and left out.",
        deps=("books/accounts", "books/postings", "books/company"),
        columns=result_schema(CashPosition),
        work=_cash_position,
    ),
    WeekTable(
        key="books/open_bills",
        description="What is open with vendors as known: bills, and credits as negative amounts.",
        deps=("books/documents", "books/applications"),
        columns=frame_schema(OPEN_ITEM_COLUMNS),
        work=_open_items("books/open_bills", side="payables"),
    ),
    WeekTable(
        key="books/open_invoices",
        description="What is open with customers as known: invoices, and credits and unapplied money as negative amounts.",
        deps=("books/documents", "books/applications"),
        columns=frame_schema(OPEN_ITEM_COLUMNS),
        work=_open_items("books/open_invoices", side="receivables"),
    ),
    WeekTable(
        key="books/cash_movements",
        description="What each transaction did to the cash: no transfers between own accounts, a card purchase or its "
        "payment, never both.",
        deps=("books/postings", "books/accounts", "books/cash_position"),
        columns=frame_schema(MOVEMENT_COLUMNS),
        work=_cash_movements,
    ),
)

books_positions = week_assets("books_positions", POSITIONS)

BOOKS_ASSETS = (books_ledger, books_positions)
