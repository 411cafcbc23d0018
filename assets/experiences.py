"""The experiences as assets: what a person reads, published and written to a file.

Belongs here: gathering a week's results for a document. Does not: the document's content and look (`experiences`).
"""

from collections import Counter
from datetime import timedelta
from pathlib import Path

import dagster as dg

from assets.books import home_currency
from assets.console_ledger import console_ledger
from assets.desk import Desk, WeekTable, week_assets
from assets.known_payments import known_payments
from assets.mailing import DIGEST_KIND, queue_digest
from assets.tenants import Metadata
from experiences.console import render as console
from experiences.console.build import build_console
from experiences.console.document import to_json as console_json
from experiences.digest.build import Priorities, build_digest
from experiences.digest.document import to_json
from experiences.digest.payment_workflow import PaymentWorkflow, Tally
from experiences.digest.render import render_html, render_text, subject
from experiences.tray import render as tray
from experiences.tray.build import build_tray
from experiences.tray.document import to_json as tray_json
from experiences.tray.links import Environment, QboCompany
from experiences.tray.ranking import Ruling, Sorted, sorted_defects
from payments.bills.break_glass import Overrides, known_overrides
from payments.store.ledger import Ledger
from resources.documents import Document
from resources.files import write_whole
from runway_calcs.bills.priority import BillPriority
from runway_calcs.books.ageing import Ageing
from runway_calcs.books.burn import Burn
from runway_calcs.books.cash import CashPosition
from runway_calcs.collection.priority import CollectionPriority
from runway_calcs.forecast.change import ForecastChange
from runway_calcs.forecast.expected_payments import ExpectedPayment
from runway_calcs.forecast.figures import CashForecast
from runway_calcs.forecast.score import ForecastScore
from runway_calcs.forecast.what_if_draws import WhatIfDraws
from runway_calcs.hygiene.assessment import Hygiene
from runway_calcs.pay_plan.plan import PayPlan

_A_WEEK_AND_A_DAY = timedelta(days=8)
"""Two weeks' books are not read at the same hour: an override is rather told twice than never."""

PREVIEW_CHARACTERS = 12_000
"""A rendered preview in the UI is as long as this, which a full digest is not: Dagster keeps every event for ever."""


def sorted_tray(desk: Desk) -> Sorted:
    """The week's defects as the tray has them: with what people had ruled when its books were read."""

    def made() -> Sorted:
        rulings = desk.installation.entries.rulings(desk.week.tenant.tenant_id, recorded_until=desk.week.known_until)
        return sorted_defects(
            desk.result("runway/hygiene", Hygiene).defects,
            rulings=[
                Ruling(
                    defect=(one.defect_kind, one.object_type, one.object_id),
                    until=one.until,
                    author=one.said.author,
                    reason=one.said.reason,
                )
                for one in rulings
            ],
            as_of=desk.at.as_of,
        )

    return desk.once("tray", made)


def _priorities(desk: Desk) -> Priorities:
    found = sorted_tray(desk)
    return Priorities(
        collections=desk.result("priority/collections", CollectionPriority),
        bills=desk.records("priority/bills", BillPriority),
        plan=next(iter(desk.records("priority/pay_plan", PayPlan)), None),
        defects=found.listed,
        set_aside=len(found.set_aside),
        score=desk.result("runway/hygiene", Hygiene).score,
    )


def publish(desk: Desk, document: Document, *, folder: Path) -> Metadata:
    """Publish a document of the week and write its page and its text; what the UI shows of it."""
    week = desk.week
    html_file = folder / week.tenant.tenant_id / f"{week.as_of.isoformat()}.html"
    write_whole(html_file, document.html)
    write_whole(html_file.with_suffix(".txt"), document.text)
    desk.installation.documents.publish(document)
    return {
        "week_ending": dg.MetadataValue.text(week.as_of.isoformat()),
        "as_of": dg.MetadataValue.text(week.as_of.isoformat()),
        "data_as_of": dg.MetadataValue.timestamp(week.data_as_of),
        "subject": dg.MetadataValue.text(document.title),
        "html": dg.MetadataValue.path(str(html_file)),
        "text": dg.MetadataValue.path(str(html_file.with_suffix(".txt"))),
        "html_bytes": dg.MetadataValue.int(len(document.html.encode())),
        "preview": preview(document.text),
        "dagster/partition_row_count": dg.MetadataValue.int(1),
    }


def preview(text: str) -> dg.MetadataValue:
    """A text as the UI may show it: code in Markdown, so that nothing in it is markup, and cut."""
    cut = text if len(text) <= PREVIEW_CHARACTERS else text[:PREVIEW_CHARACTERS] + "\n..."
    # Indented code needs no closing fence, so no text of the books can end it.
    return dg.MetadataValue.md("\n".join(f"    {line}" for line in cut.splitlines()))


def _tray(desk: Desk) -> Metadata:
    tenant, week = desk.week.tenant, desk.week
    document = build_tray(
        sorted_tray(desk),
        tenant_id=tenant.tenant_id,
        tenant_name=tenant.name,
        firm_name=tenant.firm_name,
        currency=home_currency(desk),
        zone=tenant.zone,
        as_of=desk.at.as_of,
        data_as_of=week.data_as_of,
        basis=desk.at.basis,
        score=desk.result("runway/hygiene", Hygiene).score,
        company=_connected_company(desk),
    )
    return publish(
        desk,
        Document(
            tenant_id=tenant.tenant_id,
            kind="tray",
            key=week.as_of.isoformat(),
            title=tray.title(document),
            body=tray_json(document),
            html=tray.render_html(document),
            text=tray.render_text(document),
            data_as_of=week.data_as_of,
        ),
        folder=desk.installation.settings.pages_root / "trays",
    )


def _connected_company(desk: Desk) -> QboCompany | None:
    """The company of the tenant's connection, lost ones too: a tenant with books never changes it."""
    standing = desk.installation.connections.standing(desk.week.tenant.tenant_id)
    if standing is None:
        return None
    return QboCompany(realm_id=standing.realm_id, environment=Environment(standing.environment))


def _console(desk: Desk) -> Metadata:
    tenant, week = desk.week.tenant, desk.week
    document = build_console(
        tenant_id=tenant.tenant_id,
        tenant_name=tenant.name,
        firm_name=tenant.firm_name,
        currency=home_currency(desk),
        zone=tenant.zone,
        data_as_of=week.data_as_of,
        cash=desk.result("books/cash_position", CashPosition),
        forecast=desk.result("runway/cash_forecast", CashForecast),
        priorities=desk.records("priority/bills", BillPriority),
        plan=next(iter(desk.records("priority/pay_plan", PayPlan)), None),
        draws=next(iter(desk.records("priority/what_if", WhatIfDraws)), None),
        open_payables=desk.frame("books/open_bills"),
        ledger=console_ledger(desk),
    )
    return publish(
        desk,
        Document(
            tenant_id=tenant.tenant_id,
            kind="console",
            key=week.as_of.isoformat(),
            title=console.title(document),
            body=console_json(document),
            html=console.render_html(document),
            text=console.render_text(document),
            data_as_of=week.data_as_of,
        ),
        folder=desk.installation.settings.pages_root / "bills",
    )


def payments_under_way(desk: Desk) -> PaymentWorkflow | None:
    """What the week knows of the payment ledger, summed; None before the ledger took in any books."""
    known = known_payments(desk)
    if known.free_cents is None:
        return None
    held = {
        state: [one.amount_cents for one in known.holds if one.state == state]
        for state in ("pending", "soft", "posted")
    }
    overrides = _overrides(desk)
    return PaymentWorkflow(
        set_aside=_tally(held["pending"]),
        later=_tally(held["soft"]),
        unsettled=_tally(held["posted"]),
        proposed=_tally([one.amount_cents for one in known.proposals]),
        free_cents=known.free_cents,
        overridden=overrides.count,
        unconfirmed=overrides.unconfirmed,
    )


def _overrides(desk: Desk) -> Overrides:
    until = desk.at.known_until
    ledger = Ledger(desk.installation.database, clock=desk.installation.clock)
    with ledger.look(desk.week.tenant.tenant_id) as look:
        return known_overrides(look, since=until - _A_WEEK_AND_A_DAY, until=until)


def _tally(cents: list[int]) -> Tally:
    return Tally(count=len(cents), cents=sum(cents))


def _friday_digest(desk: Desk) -> Metadata:
    tenant, week = desk.week.tenant, desk.week
    unreadable = Counter(one.entity for one in desk.installation.commits.quarantined(week.sync))
    document = build_digest(
        tenant_name=tenant.name,
        firm_name=tenant.firm_name,
        currency=home_currency(desk),
        zone=tenant.zone,
        week_ending=week.as_of,
        at=desk.at,
        data_as_of=week.data_as_of,
        cash=desk.result("books/cash_position", CashPosition),
        burn=desk.result("runway/cash_burn", Burn),
        forecast=desk.result("runway/cash_forecast", CashForecast),
        change=desk.result("runway/forecast_change", ForecastChange),
        score=desk.result("runway/forecast_score", ForecastScore),
        receivables_ageing=desk.result("runway/receivables_ageing", Ageing),
        payables_ageing=desk.result("runway/payables_ageing", Ageing),
        payments=desk.records("runway/expected_payments", ExpectedPayment),
        open_receivables=desk.frame("books/open_invoices"),
        open_payables=desk.frame("books/open_bills"),
        priorities=_priorities(desk),
        unreadable=unreadable,
        stale_after_days=desk.thresholds.stale_after_days,
        workflow=payments_under_way(desk),
    )
    html, text = render_html(document), render_text(document)
    told = publish(
        desk,
        Document(
            tenant_id=tenant.tenant_id,
            kind=DIGEST_KIND,
            key=week.as_of.isoformat(),
            title=subject(document),
            body=to_json(document),
            html=html,
            text=text,
            data_as_of=week.data_as_of,
        ),
        folder=desk.installation.settings.digests_root,
    )
    queued = queue_digest(desk.installation, tenant, week_ending=week.as_of)
    return {**told, "mails_queued": dg.MetadataValue.int(queued)}


DIGESTS = (
    WeekTable(
        key="digest/friday_digest",
        description="The Friday digest of a tenant's week: how long the cash lasts, what changed, money in, money out. "
        "Published to the operational database and written to files.",
        deps=(
            "books/company",
            "books/cash_position",
            "books/open_bills",
            "books/open_invoices",
            "runway/cash_burn",
            "runway/payables_ageing",
            "runway/receivables_ageing",
            "runway/cash_forecast",
            "runway/expected_payments",
            "runway/forecast_change",
            "runway/forecast_score",
            "runway/hygiene",
            "priority/bills",
            "priority/pay_plan",
            "priority/collections",
        ),
        columns={},
        work=_friday_digest,
        kinds=frozenset({"html", "text"}),
    ),
    WeekTable(
        key="digest/tray",
        description="What is to be mended in a tenant's books, ranked by what it changes in the forecast, with links into "
        "QuickBooks. Snoozed and dismissed entries are set aside with author and reason.",
        deps=("books/company", "runway/hygiene"),
        columns={},
        work=_tray,
        kinds=frozenset({"html", "text"}),
    ),
    WeekTable(
        key="digest/console",
        description="What the payment console starts from: open bills with priority, reasons, latest safe day and plan, the cash, "
        "and draws for a what-if.",
        deps=(
            "books/company",
            "books/cash_position",
            "books/open_bills",
            "runway/cash_forecast",
            "priority/bills",
            "priority/pay_plan",
            "priority/what_if",
        ),
        columns={},
        work=_console,
        kinds=frozenset({"html", "text"}),
    ),
)

digest_documents = week_assets("digest_documents", DIGESTS)

EXPERIENCE_ASSETS = (digest_documents,)
