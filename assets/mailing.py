"""Published digests into the outbox: one mail for each recipient, in that recipient's own formats.

Belongs here: who gets a published digest and when. Does not: renderings (`experiences`), the outbox (`resources/outbox.py`).

Only the newest week is mailed: a week that is calculated again later, or for the first time long after, is published and read on
the pages, and surprises nobody by mail.
"""

from datetime import date, datetime, time, timedelta
from functools import cache
from typing import get_args
from zoneinfo import ZoneInfo

from experiences.digest.document import from_json
from experiences.digest.formats import PUBLISHED, CurrencyFormat, Formats, Locale
from experiences.digest.render import render_html, render_text, subject
from resources.documents import Document
from resources.installation import Installation
from resources.outbox_rows import MailContent, RowKey
from resources.recipients import Recipient
from resources.tenants import Tenant

DIGEST_KIND = "friday_digest"
#: Friday morning of whoever reads it.
NOT_BEFORE = time(7, 0)
#: A digest that could not be handed over by then is no news any more.
WORTH_SENDING = timedelta(days=3)


def queue_digest(installation: Installation, tenant: Tenant, *, week_ending: date) -> int:
    """Queue the published digest of a tenant's newest week for each recipient; how many mails are new or changed.

    Running it again queues nothing twice; a digest that changed meanwhile replaces what still waits.
    """
    now = installation.clock.now()
    published = installation.documents.read(tenant.tenant_id, kind=DIGEST_KIND, key=week_ending.isoformat())
    if published is None or week_ending != tenant.latest_friday(now):
        return 0
    content = cache(lambda formats: _content(published, formats))
    changed = 0
    for recipient in installation.recipients.reachable(tenant.tenant_id):
        due_at = max(now, _morning(week_ending, recipient))
        queued = installation.outbox.enqueue(
            RowKey(
                tenant_id=tenant.tenant_id, kind=DIGEST_KIND, key=week_ending.isoformat(), address=recipient.address
            ),
            content(formats_of(recipient)),
            due_at=due_at,
            expires_at=due_at + WORTH_SENDING,
        )
        changed += queued != "unchanged"
    return changed


def formats_of(recipient: Recipient) -> Formats:
    """How a recipient wants dates and amounts written."""
    locales: dict[str, Locale] = {one: one for one in get_args(Locale)}
    currencies: dict[str, CurrencyFormat] = {one: one for one in get_args(CurrencyFormat)}
    return Formats(locale=locales[recipient.locale], currency=currencies[recipient.currency_format])


def _content(published: Document, formats: Formats) -> MailContent:
    """The published bytes themselves where they are written as the recipient wants them."""
    if formats == PUBLISHED:
        return MailContent(subject=published.title, html=published.html, text=published.text)
    document = from_json(published.body)
    return MailContent(
        subject=subject(document, formats=formats),
        html=render_html(document, formats=formats),
        text=render_text(document, formats=formats),
    )


def _morning(week_ending: date, recipient: Recipient) -> datetime:
    return datetime.combine(week_ending, NOT_BEFORE, tzinfo=ZoneInfo(recipient.zone))
