"""The weekly mail to a firm: only the clients that need attention, each with why and with what can be done.

Belongs here: its words. Does not: who needs attention (``overview.py``), the frame of the mail (``experiences/pages/notice.py``).
"""

from dataclasses import dataclass
from datetime import date

from experiences.digest.formats import PUBLISHED, Formats, written_in
from experiences.digest.sentences import name
from experiences.digest.wording import counted, days, full_date, money_short, short_date
from experiences.pages.hours import UTC_ZONE
from experiences.pages.notice import Notice, NoticeEntry, notice_text, render_notice
from experiences.portfolio.document import PortfolioDocument
from experiences.portfolio.overview import TenantOverview
from experiences.portfolio.words import (
    alarm_step,
    books_read,
    explained,
    freshness,
    headline,
    mail_step,
    mail_words,
    next_step,
    runway_words,
    waiting_words,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExceptionsMail:
    """The mail, as subject and two renderings of the same words."""

    subject: str
    html: str
    text: str


def exceptions_mail(
    document: PortfolioDocument, *, formats: Formats = PUBLISHED, zone: str = UTC_ZONE
) -> ExceptionsMail:
    """A firm's week in one mail, hours in the reader's `zone`; without exceptions it says so, for silence could be a fault."""
    with written_in(formats):
        notice = exceptions_notice(document, zone=zone)
        return ExceptionsMail(subject=notice.subject, html=render_notice(notice), text=notice_text(notice))


def exceptions_notice(document: PortfolioDocument, *, zone: str = UTC_ZONE) -> Notice:
    """The words of the mail, in the formats in force."""
    told = headline(document)
    return Notice(
        subject=f"{full_date(document.week_ending)}: {told[0].lower()}{told[1:]}",
        kicker=f"{name(document.firm_name)}, week ending {full_date(document.week_ending)}",
        headline=told,
        lead=freshness(document),
        entries=tuple(_entry(row, document=document, zone=zone) for row in document.exceptions),
        footer=explained(document),
    )


def _entry(row: TenantOverview, *, document: PortfolioDocument, zone: str) -> NoticeEntry:
    reasons = ", ".join(row.reasons(document.policy))
    lines = (
        _runway(row, document=document),
        _money(row, document=document),
        alarm_step(row),
        _work(row),
        _mail(row),
        _books(row, zone=zone, near=document.week_ending),
    )
    return NoticeEntry(
        name=name(row.tenant_name),
        alert=reasons[0].upper() + reasons[1:],
        lines=tuple(line for line in lines if line),
    )


def _runway(row: TenantOverview, *, document: PortfolioDocument) -> str:
    told = runway_words(row, near=document.week_ending)
    if row.cautious_until is not None and row.cautious_days is not None:
        told += (
            f"; cautious date {short_date(row.cautious_until, near=document.week_ending)} ({days(row.cautious_days)})"
        )
    if row.change_days:
        told += f"; {days(abs(row.change_days))} {'shorter' if row.change_days < 0 else 'longer'} than the week before"
    return f"{told}."


def _money(row: TenantOverview, *, document: PortfolioDocument) -> str:
    parts = []
    if row.cash_cents is not None:
        parts.append(f"Cash {money_short(row.cash_cents, currency=row.currency)}")
    if row.low_cents is not None and row.low_on is not None:
        low = money_short(row.low_cents, currency=row.currency)
        parts.append(f"low point {low} on {short_date(row.low_on, near=document.week_ending)}")
    return f"{', '.join(parts)}." if parts else ""


def _work(row: TenantOverview) -> str:
    parts = []
    if row.tray_count:
        known = f" ({row.blocking_count:,} known to be wrong)" if row.blocking_count else ""
        parts.append(f"{counted(row.tray_count, 'entry', 'entries')} to fix{known}")
    if row.payments_waiting:
        parts.append(f"{counted(row.payments_waiting, 'payment')} waiting: {', '.join(waiting_words(row))}")
    return f"{'; '.join(parts)}." if parts else ""


def _mail(row: TenantOverview) -> str:
    if not row.mails_open:
        return ""
    return f"{counted(row.mails_open, 'mail')} in question: {', '.join(mail_words(row))}. {mail_step(row)}"


def _books(row: TenantOverview, *, zone: str, near: date) -> str:
    read = "Books never read." if row.data_as_of is None else f"Books read on {books_read(row, zone=zone, near=near)}."
    return f"{read} {next_step(row)}".strip()
