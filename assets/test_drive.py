"""The test drive as an asset: past digests of a tenant beside what then happened.

Belongs here: gathering the past weeks' documents and results, and what the newest week's books say of them since. Does not: making
past weeks (the job `friday` does), arithmetic (`runway_calcs`), the document's content and look (`experiences/test_drive`).

It looks back from one Friday, the week of the run. Nothing of a past week is calculated again: its digest, its tray and its results
are the ones that stand in the store. What a day came to is told by the books of the first Friday after it: those of a Friday are
read before its own business is keyed in. So the last day that is judged is the one before the week's Friday, as in its digest.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import TypeVar
from zoneinfo import ZoneInfo

import dagster as dg
import pandas as pd
from pydantic import Field, ValidationError

from assets.books import home_currency
from assets.desk import Desk, desk_for
from assets.driven_weeks import DEFAULT_WEEKS, DRIVE_KIND, TRAY_KIND, missing_weeks, published_of, weeks_before
from assets.experiences import publish
from assets.known_payments import earmarks, known_payments
from assets.mailing import DIGEST_KIND
from assets.pages import TEST_DRIVES, week_links
from assets.partitions import TENANTS
from assets.tenants import Metadata, for_each_tenant
from experiences.digest.build import bills_due
from experiences.digest.document import from_json as digest_from_json
from experiences.test_drive import render
from experiences.test_drive.build import KnownSince, PastWeek, build_drive, late_invoices
from experiences.test_drive.document import DAY, MOST_WEEKS, WEEK, DriveDocument, to_json
from experiences.tray.document import from_json as tray_from_json
from resources.documents import Document
from resources.errors import TenantNotReady
from resources.installation import Installation, RunWeek
from resources.tenants import Tenant, TenantId
from runway_calcs.books.as_of import AsOf
from runway_calcs.books.cash import CashPosition
from runway_calcs.books.daily_cash import daily_cash
from runway_calcs.books.document_fates import document_fates
from runway_calcs.books.movements import cash_movements
from runway_calcs.books.open_items import open_items
from runway_calcs.collection.priority import CollectionPriority
from runway_calcs.forecast.document_items import held_item_id
from runway_calcs.forecast.earmarks import beside_the_floor, with_draws
from runway_calcs.forecast.figures import CashForecast
from runway_calcs.forecast.given_free import given_free, given_free_by_day
from runway_calcs.forecast.hindsight import hindsight
from runway_calcs.hygiene.assessment import Hygiene

GROUP = "test_drive"
DOCUMENT = dg.AssetKey([GROUP, "document"])

Result = TypeVar("Result")

_READ = (
    "books/accounts",
    "books/applications",
    "books/cash_position",
    "books/company",
    "books/documents",
    "books/postings",
    "runway/cash_forecast",
    "runway/hygiene",
    "priority/collections",
    "digest/friday_digest",
    "digest/tray",
)


class DriveConfig(dg.Config):
    """How far a test drive looks back."""

    weeks: int = Field(
        default=DEFAULT_WEEKS,
        ge=1,
        le=MOST_WEEKS,
        description="So many Fridays before the week of the run; each needs its digest (job `friday`).",
    )


@dg.multi_asset(
    name="test_drive_document",
    specs=[
        dg.AssetSpec(
            DOCUMENT,
            group_name=GROUP,
            description="The digests that a tenant got or would have got in the weeks before, what each flagged, and what then "
            "happened. Published to the operational database and written to files.",
            kinds={"html", "text"},
            deps=[dg.AssetKey(key.split("/")) for key in _READ],
        )
    ],
    partitions_def=TENANTS,
)
def drive_document(
    context: dg.AssetExecutionContext,
    config: DriveConfig,
    installation: dg.ResourceParam[Installation],
    week: dg.ResourceParam[RunWeek],
) -> Iterator[dg.MaterializeResult[None]]:
    """Publish the test drive of each tenant of the run."""

    def work(tenant: TenantId) -> Mapping[dg.AssetKey, Metadata]:
        with desk_for(tenant, installation=installation, week=week) as desk:
            return {DOCUMENT: make_test_drive(desk, weeks=config.weeks)}

    yield from for_each_tenant(context, work)


def make_test_drive(desk: Desk, *, weeks: int) -> Metadata:
    """Publish the test drive of the desk's tenant over so many weeks before the desk's; its metadata.

    Raises:
        TenantNotReady: one of these weeks has no digest or no results.
    """
    tenant, week = desk.week.tenant, desk.week
    document = drive_of(desk, weeks=weeks)
    folder = desk.installation.settings.pages_root / TEST_DRIVES
    links = week_links(desk.installation, tenant, folder=folder / tenant.tenant_id)
    told = publish(
        desk,
        Document(
            tenant_id=tenant.tenant_id,
            kind=DRIVE_KIND,
            key=week.as_of.isoformat(),
            title=render.title(document),
            body=to_json(document),
            html=render.render_html(document, links=links),
            text=render.render_text(document),
            data_as_of=week.data_as_of,
        ),
        folder=folder,
    )
    return {
        **told,
        "weeks": dg.MetadataValue.int(len(document.weeks)),
        "reconstructed_weeks": dg.MetadataValue.int(document.reconstructed_count),
        "summary": dg.MetadataValue.text(render.summary(document)),
    }


def drive_of(desk: Desk, *, weeks: int) -> DriveDocument:
    """The test drive as a document."""
    tenant, week = desk.week.tenant, desk.week
    fridays = weeks_before(week.as_of, weeks=weeks)
    missing = missing_weeks(desk.installation, tenant.tenant_id, fridays=fridays)
    if missing:
        raise _not_there(tenant, missing=missing, weeks=weeks)
    past = _past_weeks(desk, fridays=fridays)
    return build_drive(
        past,
        since=_known_since(desk, past=past),
        tenant_id=tenant.tenant_id,
        tenant_name=tenant.name,
        firm_name=tenant.firm_name,
        currency=home_currency(desk),
        zone=tenant.zone,
        as_of=week.as_of,
        data_as_of=week.data_as_of,
        connected_on=week.first_known_at.astimezone(ZoneInfo(tenant.zone)).date(),
    )


def _not_there(tenant: Tenant, *, missing: Sequence[date], weeks: int) -> TenantNotReady:
    days = ", ".join(friday.isoformat() for friday in missing)
    return TenantNotReady(
        what=f"The digests of {tenant.tenant_id!r} for {days} are not there in a form that can be read.",
        next_step=f"Run `runway test-drive {tenant.tenant_id} --weeks {weeks}`, which makes them, or the job `friday` with each "
        "of these days as `week_ending`.",
    )


def _past_weeks(desk: Desk, *, fridays: Sequence[date]) -> list[PastWeek]:
    later = [*fridays[1:], desk.at.as_of]
    balances = _balances(desk, fridays=later)
    found = []
    for friday in fridays:
        digest = published_of(desk.installation, desk.week.tenant.tenant_id, kind=DIGEST_KIND, friday=friday)
        tray = published_of(desk.installation, desk.week.tenant.tenant_id, kind=TRAY_KIND, friday=friday)
        assert digest is not None, "no week is missing"
        assert tray is not None, "no week is missing"
        found.append(
            PastWeek(
                digest=digest_from_json(digest.body),
                subject=digest.title,
                tray=tray_from_json(tray.body),
                collections=_result(desk, "priority/collections", CollectionPriority, friday=friday),
                open_payables=_open_payables(desk, friday=friday),
                hindsight=hindsight(
                    _result(desk, "runway/cash_forecast", CashForecast, friday=friday),
                    balances=balances,
                    until=desk.at.as_of - DAY,
                    given_free=_given_free(desk, friday=friday, later=[one for one in later if one > friday]),
                ),
            )
        )
    return found


def _open_payables(desk: Desk, *, friday: date) -> pd.DataFrame:
    """The open bills of a Friday, as its books knew them."""
    documents, applications = desk.frame("books/documents"), desk.frame("books/applications")
    return open_items(documents, applications, side="payables", at=_point(desk, friday))


def _balances(desk: Desk, *, fridays: Sequence[date]) -> dict[date, int]:
    """The cash at the end of each of the seven days before these Fridays, as each of them knew it."""
    postings, found = desk.frame("books/postings"), {}
    for friday in fridays:
        position = _result(desk, "books/cash_position", CashPosition, friday=friday)
        told = daily_cash(postings, position=position, at=_point(desk, friday), days=WEEK // DAY + 1)
        found.update({day: cents for day, cents in told.items() if day < friday})
    return found


def _given_free(desk: Desk, *, friday: date, later: Sequence[date]) -> dict[date, int]:
    """What the reserves of a Friday's forecast have given free by the end of each day since, as each later week's books knew it."""
    forecast = _result(desk, "runway/cash_forecast", CashForecast, friday=friday)
    if not forecast.reserved_cents:
        return {}
    at = _point(desk, friday)
    holds, kept = earmarks(known_payments(desk, at=at), at=at)
    paid = {one.item_id for one in forecast.items}
    vendors = {
        one.hold_id: vendor
        for one in holds
        if held_item_id(one.hold_id) in paid and (vendor := _vendors(desk).get(one.bill_id)) is not None
    }
    is_payroll = desk.forecast_policy.floor_cents is None
    kept = with_draws(kept, holds=holds, vendors=vendors)
    reserves = beside_the_floor(kept, floor_cents=forecast.floor_cents or 0, is_floor_next_payroll=is_payroll)
    before, found = _movements(desk, friday), dict[date, int]()
    for end in later:
        each = given_free(reserves, before=before, since=_movements(desk, end), after=friday, until=end - DAY)
        by_day = given_free_by_day(each, after=friday)
        found |= {day: cents for day, cents in by_day.items() if day >= end - WEEK}
    return found


def _vendors(desk: Desk) -> dict[str, str]:
    """The vendor of each bill."""

    def read() -> dict[str, str]:
        documents = desk.frame("books/documents")
        bills = documents[documents["txn_type"] == "Bill"]
        return dict(zip(bills["qbo_id"], bills["party_id"], strict=True))

    return desk.once("vendors of bills", read)


def _movements(desk: Desk, friday: date) -> pd.DataFrame:
    """The cash movements that the books of a Friday knew."""
    return desk.once(
        f"movements of {friday}",
        lambda: cash_movements(
            desk.frame("books/postings"),
            desk.frame("books/accounts"),
            position=_result(desk, "books/cash_position", CashPosition, friday=friday),
            at=_point(desk, friday),
            policy=desk.cash_policy,
        ),
    )


def _point(desk: Desk, friday: date) -> AsOf:
    """The point of view from which the cash of a Friday was taken."""
    week = desk.installation.store.week_of(desk.week.tenant, as_of=friday, table="books/cash_position")
    return AsOf.at(
        as_of=friday,
        known_until=week.known_until,
        first_known_at=desk.week.first_known_at,
        newest_known_at=desk.week.data_as_of,
    )


def _known_since(desk: Desk, *, past: Sequence[PastWeek]) -> KnownSince:
    documents, applications = desk.frame("books/documents"), desk.frame("books/applications")
    invoices = {one.invoice_id for week in past for _, one in late_invoices(week.collections)}
    bills = {bill_id for week in past for bill_id, _ in bills_due(week.open_payables)}
    fridays = [*(week.digest.as_of for week in past), desk.at.as_of]
    return KnownSince(
        invoices=document_fates(documents, applications, side="receivables", ids=invoices, at=desk.at),
        bills=document_fates(documents, applications, side="payables", ids=bills, at=desk.at),
        found={
            friday: frozenset(one.key for one in _result(desk, "runway/hygiene", Hygiene, friday=friday).defects)
            for friday in fridays
        },
    )


def _result(desk: Desk, table: str, kind: type[Result], *, friday: date) -> Result:
    """A one-row result of the desk's week or of an earlier one, as it stands."""
    (one,) = _records(desk, table, kind, friday=friday)
    return one


def _records(desk: Desk, table: str, kind: type[Result], *, friday: date) -> tuple[Result, ...]:
    """A table of results likewise; `TenantNotReady` if it is not there or was stored by another version of the program."""
    if friday == desk.at.as_of:
        return desk.records(table, kind)
    try:
        found = desk.earlier_records(table, kind, as_of=friday)
    except ValidationError as error:
        raise _not_made(desk, table, friday=friday, why="was stored by another version of the program") from error
    if found is None:
        raise _not_made(desk, table, friday=friday, why="was not calculated")
    return found


def _not_made(desk: Desk, table: str, *, friday: date, why: str) -> TenantNotReady:
    tenant = desk.week.tenant.tenant_id
    return TenantNotReady(
        what=f"{table} of {tenant!r} for {friday} {why}.",
        next_step=f"Run `runway test-drive {tenant} --again`, or the job `friday` with `week_ending` {friday}.",
    )


TEST_DRIVE_ASSETS = (drive_document,)
