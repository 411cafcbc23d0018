"""All tenants together, as assets: one table of their published figures, and each firm's page.

Belongs here: gathering what every tenant published. Does not: a figure of its own, the file (`assets/fleet_file.py`), pages' looks
(`experiences/portfolio`).

A tenant that cannot be read is a row that says so, and never stops the others.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any

import dagster as dg

from assets.experiences import preview
from assets.fleet_file import COLUMNS, read_fleet, write_fleet
from assets.mailing import DIGEST_KIND, EXCEPTIONS_KIND, morning, queue_exceptions
from assets.pages import PORTFOLIOS, digest_links, write_index
from assets.partitions import TENANTS
from assets.published import BALANCES
from experiences.digest.document import DigestDocument, from_json
from experiences.portfolio.document import build_portfolio, to_json
from experiences.portfolio.exceptions import exceptions_mail
from experiences.portfolio.overview import Link, Standing, TenantOverview, moving_entries
from experiences.portfolio.render import portfolio_text, portfolio_title, render_portfolio
from experiences.stored_json import UnreadableDocumentError
from experiences.tray.document import TrayDocument
from experiences.tray.document import from_json as tray_from_json
from payments.bills.waiting import payments_waiting
from payments.controls.alarms import open_alarms
from payments.store.ledger import Ledger
from resources.documents import Document, FirmDocument
from resources.files import write_whole
from resources.installation import Installation
from resources.mail.outbox_rows import OPEN_STATES
from resources.mail.tables import MailOwner, of_firm, of_tenant
from resources.registry import Firm
from resources.tenants import Tenant
from runway_calcs.forecast.change import ChangeState
from runway_calcs.policy import AttentionPolicy

GROUP = "fleet"
#: The last asset of each of a tenant's two jobs: a job that failed anywhere failed there.
_WATCHED = (BALANCES, dg.AssetKey(["digest", "friday_digest"]))
_MAIL_IS_NEWS = timedelta(weeks=2)
_ARROWS = {"VARCHAR": "string", "BIGINT": "int64", "DATE": "date32", "BOOLEAN": "bool"}


@dg.asset(
    key=["fleet", "tenant_overview"],
    group_name=GROUP,
    kinds={"duckdb"},
    deps=[
        dg.AssetKey(["digest", "friday_digest"]),
        dg.AssetKey(["digest", "tray"]),
        BALANCES,
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
    """Each firm's clients on one page, by who needs attention, its weekly exceptions, queued; the index of all pages."""
    told, exceptions, mails = [], 0, 0
    active = installation.registry.tenants()
    for firm in installation.registry.firms():
        rows = read_fleet(installation.settings.fleet_file, firm_id=firm.firm_id)
        tenants = [one for one in active if one.firm_id == firm.firm_id]
        if not rows or not tenants:
            continue
        text, found, queued = _publish_firm(installation, firm, rows, tenants=tenants)
        told.append(text)
        exceptions += found
        mails += queued
    index = write_index(installation)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": dg.MetadataValue.int(len(told)),
            "exceptions": dg.MetadataValue.int(exceptions),
            "mails_queued": dg.MetadataValue.int(mails),
            "index": dg.MetadataValue.path(str(index)),
            "preview": preview("\n\n".join(told)),
        }
    )


def _publish_firm(
    installation: Installation, firm: Firm, rows: Sequence[TenantOverview], *, tenants: Sequence[Tenant]
) -> tuple[str, int, int]:
    """Publish a firm's page and its exceptions and queue these; the page as text, how many exceptions, how many mails."""
    firm_id, now = firm.firm_id, installation.clock.now()
    week = max(one.latest_friday(now) for one in tenants)
    policy = AttentionPolicy(**installation.settings.attention.model_dump())
    own_mail = _mail_in_question(installation, of_firm(firm_id), now=now)
    document = build_portfolio(
        rows,
        firm_id=firm_id,
        firm_name=firm.name,
        week_ending=week,
        policy=policy,
        own_mails_open=own_mail.counts.total(),
        own_resend_command=own_mail.resend_command,
        own_closed_address=own_mail.closed_address,
    )
    folder = installation.settings.pages_root / PORTFOLIOS
    html = render_portfolio(document, links=digest_links(installation, tenants, folder=folder))
    text = portfolio_text(document)
    write_whole(folder / f"{firm_id}.html", html)
    write_whole(folder / f"{firm_id}.txt", text)
    body, key, mail = to_json(document), week.isoformat(), exceptions_mail(document)
    for kind, title, as_html, as_text in (
        ("portfolio", portfolio_title(document), html, text),
        (EXCEPTIONS_KIND, mail.subject, mail.html, mail.text),
    ):
        installation.documents.publish_for_firm(
            FirmDocument(firm_id=firm_id, kind=kind, key=key, title=title, body=body, html=as_html, text=as_text)
        )
    is_whole = all(row.week_ending == week for row in rows)
    queued = queue_exceptions(installation, firm_id, tenants=tenants, week_ending=week, is_whole=is_whole)
    return text, len(document.exceptions), queued


def overview_of(installation: Installation, tenant: Tenant, *, has_failed: bool, now: datetime) -> TenantOverview:
    """One tenant's row, from what it published."""
    standing, digest = _digest(installation, tenant, now=now)
    today = tenant.local_date(now)
    tray = _tray(installation.documents.newest(tenant.tenant_id, kind="tray", not_after=today))
    sync = installation.commits.newest_sync(tenant.tenant_id)
    thresholds = installation.settings.thresholds.overridden(tenant.thresholds)
    oldest = now - timedelta(days=thresholds.stale_after_days)
    runway = digest.runway if digest is not None else None
    change = digest.change if digest is not None else None
    friday = tenant.latest_friday(now)
    with Ledger(installation.database, clock=installation.clock).look(tenant.tenant_id) as look:
        waiting, alarms = payments_waiting(look), len(open_alarms(look))
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
        link=_link(installation, tenant),
        data_as_of=sync.data_as_of if sync is not None else None,
        is_stale=sync is None or sync.data_as_of < oldest,
        is_behind=digest is not None and digest.week_ending < friday and now >= morning(friday, zone=tenant.zone),
        has_failed=has_failed,
        tray_count=tray.count if tray is not None else None,
        blocking_count=tray.blocking_count if tray is not None else None,
        moving_count=moving_entries(tray, runway=runway) if tray is not None else None,
        **_mails(installation, tenant, now=now),
        **asdict(waiting),
        alarms=alarms,
    )


def _digest(installation: Installation, tenant: Tenant, *, now: datetime) -> tuple[Standing, DigestDocument | None]:
    """The newest digest that still is news: of this week or of the one before."""
    today = tenant.local_date(now)
    published = installation.documents.newest(tenant.tenant_id, kind=DIGEST_KIND, not_after=today)
    if published is None or date.fromisoformat(published.key) < tenant.latest_friday(now) - timedelta(weeks=1):
        return Standing.MISSING, None
    try:
        return Standing.OK, from_json(published.body)
    except UnreadableDocumentError:
        return Standing.UNREADABLE, None


def _tray(published: Document | None) -> TrayDocument | None:
    if published is None:
        return None
    try:
        return tray_from_json(published.body)
    except ValueError:
        return None  # of another version of the program: no count is shown, and the next Friday writes it anew


def _mails(installation: Installation, tenant: Tenant, *, now: datetime) -> dict[str, Any]:
    """The columns on the mails to a tenant's readers that somebody has to look at."""
    found = _mail_in_question(installation, of_tenant(tenant.tenant_id), now=now)
    return {
        **{f"mail_{state}": found.counts[state] for state in OPEN_STATES},
        "resend_command": found.resend_command,
        "closed_address": found.closed_address,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _MailInQuestion:
    """The mails of the last weeks that somebody has to look at; older ones are no news any more."""

    counts: Counter[str]
    resend_command: str
    """What sends the first of those that may be sent once more; empty without one."""
    closed_address: str
    """The first address among the others, to which nothing is sent; empty without one."""


def _mail_in_question(installation: Installation, owner: MailOwner, *, now: datetime) -> _MailInQuestion:
    """What became of mails to readers who still want them: whoever was removed or unsubscribed misses nothing."""
    rows = installation.outbox.rows(owner)
    recent = [row for row in rows if row.state in OPEN_STATES and row.queued_at >= now - _MAIL_IS_NEWS]
    readers = {one.address: one for one in installation.recipients.all(owner) if one.unsubscribed_at is None}
    found = [row for row in recent if row.row_key.address in readers]
    found.sort(key=lambda row: OPEN_STATES.index(row.state))
    closed = [row for row in found if readers[row.row_key.address].obstacle is not None]
    free = [row for row in found if row not in closed]
    return _MailInQuestion(
        counts=Counter(row.state for row in found),
        resend_command=free[0].row_key.resend_command if free else "",
        closed_address=closed[0].row_key.address if closed else "",
    )


def _link(installation: Installation, tenant: Tenant) -> Link:
    standing = installation.connections.standing(tenant.tenant_id)
    if standing is None:
        return Link.NEVER
    return Link.CONNECTED if standing.state == "connected" else Link.LOST


def _failed(instance: dg.DagsterInstance, tenants: Sequence[Tenant]) -> frozenset[str]:
    """The tenants whose newest run of the sync or of the digest failed."""
    ids = [one.tenant_id for one in tenants]
    failed: set[str] = set()
    for key in _WATCHED:
        states = instance.get_status_by_partition(key, ids, TENANTS) or {} if ids else {}
        failed |= {one for one, state in states.items() if state is not None and state.value == "FAILED"}
    return frozenset(failed)


FLEET_ASSETS = (tenant_overview, portfolio)
