"""All tenants together, as assets: one table of their published figures, and each firm's page.

Belongs here: gathering what every tenant published. Does not: a figure of its own, the file (`assets/fleet_file.py`), pages' looks
(`experiences/portfolio`).

A tenant that cannot be read is a row that says so, and never stops the others.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import dagster as dg
from sqlalchemy import func, select

from assets.experiences import preview
from assets.fleet_file import COLUMNS, read_fleet, write_fleet
from assets.pages import PORTFOLIOS, digest_links, write_index
from assets.partitions import TENANTS
from experiences.digest.document import DigestDocument, UnreadableDigestError, from_json
from experiences.pages.page import page_text, render_page
from experiences.portfolio.document import build_portfolio, to_json
from experiences.portfolio.overview import Standing, TenantOverview
from experiences.portfolio.render import (
    exceptions_page,
    exceptions_title,
    portfolio_text,
    portfolio_title,
    render_portfolio,
)
from experiences.tray.document import TrayDocument
from experiences.tray.document import from_json as tray_from_json
from payments.bill_tables import BILL_WORKFLOW
from resources.documents import Document, FirmDocument
from resources.files import write_whole
from resources.installation import Installation
from resources.row_security import see_tenant
from resources.tenants import Tenant, TenantId
from runway_calcs.forecast.change import ChangeState
from runway_calcs.policy import AttentionPolicy

GROUP = "fleet"
EXCEPTIONS_KIND = "firm_exceptions"
_WATCHED = (dg.AssetKey(["raw_qbo", "bills"]), dg.AssetKey(["digest", "friday_digest"]))
#: A bill in one of these states waits for a decision or for a look.
_WAITING = ("staged", "needs_review", "unknown")
_ARROWS = {"VARCHAR": "string", "BIGINT": "int64", "DATE": "date32", "BOOLEAN": "bool"}


@dg.asset(
    key=["fleet", "tenant_overview"],
    group_name=GROUP,
    kinds={"duckdb"},
    deps=[
        dg.AssetKey(["digest", "friday_digest"]),
        dg.AssetKey(["digest", "tray"]),
        dg.AssetKey(["published", "balances"]),
    ],
    metadata={
        "dagster/column_schema": dg.TableSchema(
            columns=[
                dg.TableColumn(name, _ARROWS.get(kind, "timestamp[us]"), description=text)
                for name, (kind, text) in COLUMNS.items()
            ]
        )
    },
)
def tenant_overview(
    context: dg.AssetExecutionContext, installation: dg.ResourceParam[Installation]
) -> dg.MaterializeResult[None]:
    """Every active tenant's newest published figures in one row each: `fleet.duckdb`, for the portfolio and for other tools."""
    tenants = installation.registry.tenants()
    failed = _failed(context.instance, tenants)
    now = installation.clock.now()
    rows = [overview_of(installation, one, has_failed=one.tenant_id in failed, now=now) for one in tenants]
    file = installation.settings.fleet_file
    write_fleet(file, rows)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": dg.MetadataValue.int(len(rows)),
            "file": dg.MetadataValue.path(str(file)),
            "without_figures": dg.MetadataValue.int(sum(row.standing is not Standing.OK for row in rows)),
            "stale": dg.MetadataValue.int(sum(row.is_stale for row in rows)),
            "failed": dg.MetadataValue.int(len(failed)),
        }
    )


@dg.asset(key=["fleet", "portfolio"], group_name=GROUP, kinds={"html", "text"}, deps=[tenant_overview])
def portfolio(installation: dg.ResourceParam[Installation]) -> dg.MaterializeResult[None]:
    """Each firm's clients on one page, by who needs attention, and its weekly exceptions; the index of all pages."""
    told, exceptions = [], 0
    for firm in installation.registry.firms():
        rows = read_fleet(installation.settings.fleet_file, firm_id=firm.firm_id)
        if not rows:
            continue
        text, found = _publish_firm(installation, rows, firm_id=firm.firm_id, firm_name=firm.name)
        told.append(text)
        exceptions += found
    index = write_index(installation)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": dg.MetadataValue.int(len(told)),
            "exceptions": dg.MetadataValue.int(exceptions),
            "index": dg.MetadataValue.path(str(index)),
            "preview": preview("\n\n".join(told)),
        }
    )


def _publish_firm(
    installation: Installation, rows: Sequence[TenantOverview], *, firm_id: str, firm_name: str
) -> tuple[str, int]:
    """Publish a firm's page and its exceptions; the page as text, and how many exceptions there are."""
    document = build_portfolio(rows, firm_id=firm_id, firm_name=firm_name, policy=AttentionPolicy())
    week = max((row.week_ending for row in rows if row.week_ending is not None), default=None)
    folder = installation.settings.pages_root / PORTFOLIOS
    tenants = [one for one in installation.registry.tenants() if one.firm_id == firm_id]
    html = render_portfolio(document, links=digest_links(installation, tenants, folder=folder))
    text = portfolio_text(document)
    write_whole(folder / f"{firm_id}.html", html)
    write_whole(folder / f"{firm_id}.txt", text)
    if week is not None:
        body, key = to_json(document), week.isoformat()
        page = exceptions_page(document, week_ending=week)
        for kind, title, as_html, as_text in (
            ("portfolio", portfolio_title(document), html, text),
            (EXCEPTIONS_KIND, exceptions_title(document, week_ending=week), render_page(page), page_text(page)),
        ):
            installation.documents.publish_for_firm(
                FirmDocument(firm_id=firm_id, kind=kind, key=key, title=title, body=body, html=as_html, text=as_text)
            )
    return text, len(document.exceptions)


def overview_of(installation: Installation, tenant: Tenant, *, has_failed: bool, now: datetime) -> TenantOverview:
    """One tenant's row, from what it published."""
    standing, digest = _digest(installation, tenant, now=now)
    tray = _tray(installation.documents.newest(tenant.tenant_id, kind="tray"))
    sync = installation.commits.newest_sync(tenant.tenant_id)
    thresholds = installation.settings.thresholds.overridden(tenant.thresholds)
    oldest = now - timedelta(days=thresholds.stale_after_days)
    runway = digest.runway if digest is not None else None
    change = digest.change if digest is not None else None
    return TenantOverview(
        firm_id=tenant.firm_id,
        tenant_id=tenant.tenant_id,
        tenant_name=tenant.name,
        standing=standing,
        week_ending=digest.week_ending if digest is not None else None,
        currency=digest.currency if digest is not None else "",
        state=runway.state if runway is not None else None,
        covered_until=runway.covered_until if runway is not None else None,
        days=runway.days if runway is not None else None,
        cautious_until=runway.cautious_until if runway is not None else None,
        cautious_days=runway.cautious_days if runway is not None else None,
        cash_cents=digest.cash.cash_cents if digest is not None else None,
        low_cents=runway.low_cents if runway is not None else None,
        low_on=runway.low_on if runway is not None else None,
        change_days=change.days if change is not None and change.state is ChangeState.COMPARED else None,
        data_as_of=sync.data_as_of if sync is not None else None,
        is_stale=sync is None or sync.data_as_of < oldest,
        has_failed=has_failed,
        tray_count=tray.count if tray is not None else None,
        blocking_count=tray.blocking_count if tray is not None else None,
        payments_waiting=_payments_waiting(installation, tenant.tenant_id),
    )


def _digest(installation: Installation, tenant: Tenant, *, now: datetime) -> tuple[Standing, DigestDocument | None]:
    """The newest digest that still is news: of this week or of the one before."""
    published = installation.documents.newest(tenant.tenant_id, kind="friday_digest")
    if published is None or date.fromisoformat(published.key) < tenant.latest_friday(now) - timedelta(weeks=1):
        return Standing.MISSING, None
    try:
        return Standing.OK, from_json(published.body)
    except UnreadableDigestError:
        return Standing.UNREADABLE, None


def _tray(published: Document | None) -> TrayDocument | None:
    if published is None:
        return None
    try:
        return tray_from_json(published.body)
    except ValueError:
        return None  # of another version of the program: no count is shown, and the next Friday writes it anew


def _payments_waiting(installation: Installation, tenant: TenantId) -> int:
    waiting = select(func.count()).where(BILL_WORKFLOW.c.tenant_id == tenant, BILL_WORKFLOW.c.state.in_(_WAITING))
    with installation.database.read() as connection:
        see_tenant(connection, tenant)
        return int(connection.execute(waiting).scalar_one())


def _failed(instance: dg.DagsterInstance, tenants: Sequence[Tenant]) -> frozenset[str]:
    """The tenants whose newest run of the sync or of the digest failed."""
    ids = [one.tenant_id for one in tenants]
    failed: set[str] = set()
    for key in _WATCHED:
        states = instance.get_status_by_partition(key, ids, TENANTS) or {} if ids else {}
        failed |= {one for one, state in states.items() if state is not None and state.value == "FAILED"}
    return frozenset(failed)


FLEET_ASSETS = (tenant_overview, portfolio)
