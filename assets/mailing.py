"""Published documents into the outbox: one mail for each recipient, in that recipient's own formats.

Belongs here: who gets a published digest or a firm's exceptions, and when. Does not: renderings (`experiences`), the outbox
(`resources/mail/outbox.py`).

Only the newest week is mailed: a week that is calculated again later, or for the first time long after, is published and read on
the pages, and surprises nobody by mail.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import get_args
from zoneinfo import ZoneInfo

from experiences.digest.document import from_json
from experiences.digest.formats import PUBLISHED, CurrencyFormat, Formats, Locale
from experiences.digest.render import firm_subject, render_html, render_text, subject
from experiences.portfolio.document import from_json as portfolio_from_json
from experiences.portfolio.exceptions import exceptions_mail
from resources.documents import Document, FirmDocument
from resources.installation import Installation
from resources.mail.outbox_rows import MailContent, RowKey
from resources.mail.recipients import Recipient, Role
from resources.mail.tables import MailOwner, of_firm, of_tenant
from resources.tenants import Tenant

DIGEST_KIND = "friday_digest"
EXCEPTIONS_KIND = "firm_exceptions"
#: Friday morning of whoever reads it.
NOT_BEFORE = time(7, 0)
#: Digests are made from seven on in each tenant's zone, and the firms' pages every hour then: after the second time.
ALL_TOGETHER = timedelta(hours=2)
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
    return _queue(
        installation,
        of_tenant(tenant.tenant_id),
        kind=DIGEST_KIND,
        week_ending=week_ending,
        not_before=now,
        content=lambda formats, role, _zone: _digest(published, formats, role),
    )


def queue_exceptions(
    installation: Installation, firm_id: str, *, tenants: Sequence[Tenant], week_ending: date, is_whole: bool
) -> int:
    """Queue a firm's published exceptions of a week for each of the firm's recipients; how many mails are new or changed.

    ``is_whole``: every one of its tenants has its digest of the week. Else nothing is queued before the last of them has had its
    Friday morning, and the mail then waits for those whose digest is still being made. What is published anew meanwhile takes
    the place of what waits.
    """
    now = installation.clock.now()
    published = installation.documents.read_for_firm(firm_id, kind=EXCEPTIONS_KIND, key=week_ending.isoformat())
    last_morning = max(morning(week_ending, zone=one.zone) for one in tenants)
    if published is None or not (is_whole or now >= last_morning):
        return 0
    return _queue(
        installation,
        of_firm(firm_id),
        kind=EXCEPTIONS_KIND,
        week_ending=week_ending,
        not_before=now if is_whole else max(now, last_morning + ALL_TOGETHER),
        content=lambda formats, _role, zone: _exceptions(published, formats, zone=zone),
    )


def _queue(
    installation: Installation,
    owner: MailOwner,
    *,
    kind: str,
    week_ending: date,
    not_before: datetime,
    content: Callable[[Formats, Role, str], MailContent],
) -> int:
    rendered = cache(content)
    changed = 0
    for recipient in installation.recipients.reachable(owner):
        due_at = max(not_before, morning(week_ending, zone=recipient.zone))
        queued = installation.outbox.enqueue(
            RowKey(owner=owner, kind=kind, key=week_ending.isoformat(), address=recipient.address),
            rendered(formats_of(recipient), recipient.role, recipient.zone),
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


def morning(week_ending: date, *, zone: str) -> datetime:
    """The Friday morning of a zone."""
    return datetime.combine(week_ending, NOT_BEFORE, tzinfo=ZoneInfo(zone))


def _digest(published: Document, formats: Formats, role: Role) -> MailContent:
    """The published bytes themselves where they are written as the recipient wants them; a firm's subject has the name."""
    if formats == PUBLISHED and role == "client":
        return MailContent(subject=published.title, html=published.html, text=published.text)
    document = from_json(published.body)
    about = firm_subject if role == "firm" else subject
    if formats == PUBLISHED:
        return MailContent(subject=about(document), html=published.html, text=published.text)
    return MailContent(
        subject=about(document, formats=formats),
        html=render_html(document, formats=formats),
        text=render_text(document, formats=formats),
    )


def _exceptions(published: FirmDocument, formats: Formats, *, zone: str) -> MailContent:
    mail = exceptions_mail(portfolio_from_json(published.body), formats=formats, zone=zone)
    return MailContent(subject=mail.subject, html=mail.html, text=mail.text)
