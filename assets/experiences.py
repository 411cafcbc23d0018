"""The experiences as assets: what a person reads, published and written to a file.

Belongs here: gathering a week's results for a document. Does not: the document's content and look (`experiences`).
"""

from collections import Counter

import dagster as dg

from assets.books import home_currency
from assets.desk import Desk, WeekTable, week_assets
from assets.mailing import DIGEST_KIND, queue_digest
from assets.tenants import Metadata
from experiences.digest.build import build_digest
from experiences.digest.document import to_json
from experiences.digest.render import render_html, render_text, subject
from resources.documents import Document
from resources.files import write_whole
from runway_calcs.ageing import Ageing
from runway_calcs.burn import Burn
from runway_calcs.cash import CashPosition
from runway_calcs.expected_payments import ExpectedPayment
from runway_calcs.forecast import CashForecast
from runway_calcs.forecast_change import ForecastChange
from runway_calcs.forecast_score import ForecastScore


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
        unreadable=unreadable,
        stale_after_days=desk.thresholds.stale_after_days,
    )
    html, text = render_html(document), render_text(document)
    folder = desk.installation.settings.digests_root / tenant.tenant_id
    html_file = folder / f"{week.as_of.isoformat()}.html"
    write_whole(html_file, html)
    write_whole(html_file.with_suffix(".txt"), text)
    desk.installation.documents.publish(
        Document(
            tenant_id=tenant.tenant_id,
            kind=DIGEST_KIND,
            key=week.as_of.isoformat(),
            title=subject(document),
            body=to_json(document),
            html=html,
            text=text,
            data_as_of=week.data_as_of,
        )
    )
    queued = queue_digest(desk.installation, tenant, week_ending=week.as_of)
    return {
        "week_ending": dg.MetadataValue.text(week.as_of.isoformat()),
        "as_of": dg.MetadataValue.text(week.as_of.isoformat()),
        "data_as_of": dg.MetadataValue.timestamp(week.data_as_of),
        "subject": dg.MetadataValue.text(subject(document)),
        "html": dg.MetadataValue.path(str(html_file)),
        "text": dg.MetadataValue.path(str(html_file.with_suffix(".txt"))),
        "mails_queued": dg.MetadataValue.int(queued),
        "html_bytes": dg.MetadataValue.int(len(html.encode())),
        "dagster/partition_row_count": dg.MetadataValue.int(1),
    }


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
        ),
        columns={},
        work=_friday_digest,
        kinds=frozenset({"html", "text"}),
    ),
)

digest_documents = week_assets("digest_documents", DIGESTS)

EXPERIENCE_ASSETS = (digest_documents,)
