"""What a firm's page and its mail say in the same words.

Belongs here: sentences about a portfolio and a row of it. Does not: their order and frames (``render.py``, ``exceptions.py``).
"""

from datetime import date

from experiences.digest.wording import counted, days, short_date
from experiences.pages.hours import UTC_ZONE, hour_in
from experiences.portfolio.document import PortfolioDocument
from experiences.portfolio.overview import Link, Reason, Standing, TenantOverview
from runway_calcs.forecast.figures import RunwayState

STATES = {
    RunwayState.BEYOND_HORIZON: "beyond 13 weeks",
    RunwayState.ALREADY_BELOW: "below the floor",
    RunwayState.NOT_COMPUTABLE: "not computable",
    RunwayState.NO_DATA: "no data",
}
_STATES_AS_SENTENCES = {
    RunwayState.BEYOND_HORIZON: "Covered beyond 13 weeks",
    RunwayState.ALREADY_BELOW: "Below the floor already",
    RunwayState.NOT_COMPUTABLE: "Runway not computable",
    RunwayState.NO_DATA: "No data for a runway yet",
}
NO_FIGURES = {Standing.MISSING: "No digest to take figures from", Standing.UNREADABLE: "The digest cannot be read"}


def headline(document: PortfolioDocument) -> str:
    """How many clients need attention, as the whole answer."""
    if not document.rows:
        return "No clients yet"
    count = len(document.exceptions)
    of = counted(len(document.rows), "client")
    return f"{count:,} of {of} to look at" if count else f"Nothing stands out in {of}"


def freshness(document: PortfolioDocument) -> str:
    """How much of it can be relied on."""
    parts = []
    standing = [set(row.reasons(document.policy)) for row in document.rows]
    if without := sum(Reason.NO_FIGURES in reasons for reasons in standing):
        parts.append(f"{counted(without, 'client')} without figures.")
    if behind := sum(Reason.BEHIND in reasons for reasons in standing):
        parts.append(f"{counted(behind, 'client')} without a digest of this week.")
    if document.stale_count:
        parts.append(f"{counted(document.stale_count, 'client')} with old books.")
    if not parts and document.rows:
        parts.append("Figures of all clients are there, and their books are fresh.")
    if document.own_mails_open:
        parts.append(f"{counted(document.own_mails_open, 'mail')} to the firm itself may not have arrived:")
        parts.append(
            _sent_again(
                document.own_mails_open,
                resend_command=document.own_resend_command,
                closed_address=document.own_closed_address,
                owner=f"firm:{document.firm_id}",
            )
        )
    return " ".join(parts)


def explained(document: PortfolioDocument) -> tuple[str, ...]:
    """What counts as needing attention, and where figures come from."""
    policy = document.policy
    return (
        "To look at: no figures or no digest of the week, a failed run, below the floor, an open alarm of payments, a payment to "
        f"review, {policy.short_days} days or less, cautiously {policy.short_cautious_days} days or less, {policy.fallen_days} "
        "days shorter than a week before, a mail that may not have arrived, a payment that is due and in no batch, old books, or "
        "data known to be wrong that moves the runway.",
        "Figures are those of each client's published digest.",
    )


def runway_words(row: TenantOverview, *, near: date) -> str:
    """How long the cash lasts, as the beginning of a sentence."""
    if row.covered_until is not None and row.days is not None:
        return f"Covered until {short_date(row.covered_until, near=near)} ({days(row.days)})"
    if row.state is None:
        return NO_FIGURES[row.standing]
    return _STATES_AS_SENTENCES[row.state]


def waiting_words(row: TenantOverview) -> tuple[str, ...]:
    """The payments that wait, by what they wait for."""
    counts = (
        (row.to_review, "to review"),
        (row.to_approve, "to approve"),
        (row.to_decide, "to decide"),
        (row.due, "due in no batch yet"),
        (row.to_seal, "to finalize"),
        (row.sealed, "on the way"),
    )
    return tuple(f"{count:,} {what}" for count, what in counts if count)


def alarm_step(row: TenantOverview) -> str:
    """The command that tells the alarms of payments with what mends them; empty without one."""
    if not row.alarms:
        return ""
    return (
        f"{counted(row.alarms, 'open alarm')} of payments: runway ledger alarms {row.tenant_id} shows what can be done."
    )


def mail_words(row: TenantOverview) -> tuple[str, ...]:
    """The mails in question, by what became of them."""
    counts = ((row.mail_unknown, "unknown"), (row.mail_failed, "failed"), (row.mail_bounced, "came back"))
    return tuple(f"{count:,} {what}" for count, what in counts if count)


def mail_step(row: TenantOverview) -> str:
    """The commands that send a mail in question once more; empty without one."""
    if not row.mails_open:
        return ""
    return _sent_again(
        row.mails_open, resend_command=row.resend_command, closed_address=row.closed_address, owner=row.tenant_id
    )


def _sent_again(count: int, *, resend_command: str, closed_address: str, owner: str) -> str:
    """What a person can do about mails in question of a tenant or firm; nothing is sent to an address that takes no mail."""
    parts = []
    if resend_command:
        parts.append(f"{resend_command} sends {'it' if count == 1 else 'the first'} once more")
    if closed_address:
        verb, whose = "runway mail recipients", f"{owner} {closed_address}"
        parts.append(
            f"nothing more is sent to {closed_address}: {verb} add {whose} --lift-suppression says that it works again, "
            f"{verb} remove {whose} that nobody reads there"
        )
    if count > 1:
        parts.append(f"runway mail status {owner} shows all")
    return f"{'; '.join(parts)}."


def books_read(row: TenantOverview, *, near: date, zone: str = UTC_ZONE) -> str:
    """When the books were read, in a reader's time zone."""
    assert row.data_as_of is not None, "they were read"
    return hour_in(row.data_as_of, zone=zone, near=near)


def next_step(row: TenantOverview) -> str:
    """What brings fresh figures where something keeps them away; empty where nothing does."""
    tenant = row.tenant_id
    if row.link is Link.NEVER:
        return f"QuickBooks is not connected (runway connect {tenant})."
    if row.link is Link.LOST:
        return f"QuickBooks no longer takes the connection (runway connect {tenant} renews it)."
    if row.has_failed:
        return f"The last run failed, and Dagster shows why (runway friday --tenant {tenant} tries again)."
    if row.is_stale:
        return f"The nightly sync did not come (runway friday --tenant {tenant} reads the books now)."
    if row.is_behind or row.standing is not Standing.OK:
        return f"The digest is missing (runway friday --tenant {tenant} makes it)."
    return ""
