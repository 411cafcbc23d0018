"""One tenant of a firm's portfolio: its week in figures, how fresh they are, and why it needs attention.

Belongs here: the facts of a row, its reasons, the order of rows. Does not: gathering them (`assets/fleet.py`), words and markup
(``render.py``).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from experiences.digest.comparison import require
from experiences.digest.document import Runway
from experiences.tray.document import TrayDocument, TrayItem
from runway_calcs.forecast.figures import RunwayState
from runway_calcs.policy import AttentionPolicy

FAR_DAYS = 1_000_000
"""Where a runway that does not end within the horizon is ordered."""


class Standing(StrEnum):
    """Whether there is a digest to take figures from."""

    OK = "ok"
    MISSING = "no digest"
    """No digest of the newest week or the one before was ever published."""
    UNREADABLE = "unreadable digest"
    """The published one was written by another version of the program."""


class Link(StrEnum):
    """Whether the books can be read."""

    CONNECTED = "connected"
    LOST = "connection lost"
    NEVER = "never connected"


class Reason(StrEnum):
    """Why a tenant needs attention, the most pressing first."""

    NO_FIGURES = "no figures"
    FAILED = "a run failed"
    BEHIND = "no digest of this week"
    BELOW_FLOOR = "below the floor"
    ALARM = "an open alarm of payments"
    REVIEW = "a payment to review"
    SHORT = "short runway"
    CAUTIOUS = "short cautious runway"
    FALLEN = "runway became shorter"
    MAIL = "a mail that may not have arrived"
    DUE = "a payment due in no batch"
    STALE = "old books"
    BLOCKING = "wrong data that moves the runway"


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantOverview:
    """A row of the portfolio; figures are those of the published digest, or None."""

    firm_id: str
    tenant_id: str
    tenant_name: str
    standing: Standing
    week_ending: date | None
    currency: str
    state: RunwayState | None
    covered_until: date | None
    days: int | None
    cautious_until: date | None
    cautious_days: int | None
    cash_cents: int | None
    low_cents: int | None
    low_on: date | None
    change_days: int | None
    """Change of the runway since the last forecast; None where there is none to speak of."""
    link: Link
    data_as_of: datetime | None
    """Of the newest sync; None: never read."""
    is_stale: bool
    is_behind: bool
    """Its Friday morning has passed, and its newest digest is that of a week before."""
    has_failed: bool
    """Its newest run of the sync or of the digest failed."""
    tray_count: int | None
    """None: no tray was published."""
    blocking_count: int | None
    """Entries behind which a figure is known to be wrong ..."""
    moving_count: int | None
    """... and of them those that change the runway in days or put its low point on the other side of the floor."""
    mail_unknown: int
    """Mails of the last weeks of which nobody knows whether they arrived,"""
    mail_failed: int
    """that were refused,"""
    mail_bounced: int
    """that came back."""
    resend_command: str
    """The command that sends the first of those mails that may be sent once more; empty without one."""
    to_approve: int
    """Bills of the payment ledger by what they wait for: that somebody says they are owed,"""
    to_decide: int
    """for a decision,"""
    due: int
    """for a fresh balance or the next day's batches though their day has come,"""
    to_seal: int
    """for somebody to finalize the batch,"""
    sealed: int
    """for a batch to be settled,"""
    to_review: int
    """for a person to look at them."""
    alarms: int = 0
    """Open alarms of the payment ledger: paid twice, given back, gone, stopped."""
    closed_address: str = ""
    """The first address of the other mails in question, which takes none until somebody says that it works; empty without one."""

    def __post_init__(self) -> None:
        ok = self.standing is Standing.OK
        require((self.state is not None) == ok, "figures come from a digest that can be read")
        require(ok or self.days is None, "no runway without a digest")
        require(ok or not self.is_behind, "an old digest is one that can be read")
        require((self.moving_count or 0) <= (self.blocking_count or 0), "what moves the runway is among what is wrong")
        require(
            bool(self.mails_open) == bool(self.resend_command or self.closed_address),
            "a mail in question has a command that sends it again, or an address that takes none",
        )

    @property
    def payments_waiting(self) -> int:
        """Bills of the payment ledger that wait for something."""
        return self.to_approve + self.to_decide + self.due + self.to_seal + self.sealed + self.to_review

    @property
    def wait_for_somebody(self) -> int:
        """Of them those that somebody has to act on."""
        return self.payments_waiting - self.sealed

    @property
    def mails_open(self) -> int:
        """Mails that wait for a person to say whether they are sent again."""
        return self.mail_unknown + self.mail_failed + self.mail_bounced

    def reasons(self, policy: AttentionPolicy) -> tuple[Reason, ...]:
        """Why it needs attention; empty: nothing stands out."""
        holds = {
            Reason.NO_FIGURES: self.standing is not Standing.OK
            or self.state in (RunwayState.NO_DATA, RunwayState.NOT_COMPUTABLE),
            Reason.FAILED: self.has_failed,
            Reason.BEHIND: self.is_behind,
            Reason.BELOW_FLOOR: self.state is RunwayState.ALREADY_BELOW,
            Reason.ALARM: self.alarms > 0,
            Reason.REVIEW: self.to_review > 0,
            Reason.SHORT: self.days is not None and self.days <= policy.short_days,
            Reason.CAUTIOUS: self.cautious_days is not None and self.cautious_days <= policy.short_cautious_days,
            Reason.FALLEN: self.change_days is not None and self.change_days <= -policy.fallen_days,
            Reason.MAIL: self.mails_open > 0,
            Reason.DUE: self.due > 0,
            Reason.STALE: self.is_stale,
            Reason.BLOCKING: bool(self.moving_count),
        }
        return tuple(reason for reason in Reason if holds[reason])


def moving_entries(tray: TrayDocument, *, runway: Runway | None) -> int:
    """How many entries known to be wrong change the runway in days, or put its low point on the other side of the floor."""
    return sum(one.is_blocking and (bool(one.runway_days) or _crosses(one, runway)) for one in tray.items)


def _crosses(one: TrayItem, runway: Runway | None) -> bool:
    if runway is None or runway.low_cents is None or runway.floor_cents is None or one.low_cents is None:
        return False
    mended = runway.low_cents + one.low_cents
    return (runway.low_cents < runway.floor_cents) != (mended < runway.floor_cents)


def _ordered(days: int | None, row: TenantOverview) -> int:
    """Where a number of days stands among others: cash that is below the floor already lasts no day."""
    if row.state is RunwayState.ALREADY_BELOW:
        return 0
    return FAR_DAYS if days is None else days


def by_attention(rows: Iterable[TenantOverview], *, policy: AttentionPolicy) -> tuple[TenantOverview, ...]:
    """The rows with the most pressing reason first; within one, payments that wait for somebody, then the shortest runway."""
    place = {reason: number for number, reason in enumerate(Reason)}

    def rank(row: TenantOverview) -> tuple[int, bool, int, int, int, int, int, str, str]:
        reasons = row.reasons(policy)
        return (
            place[reasons[0]] if reasons else len(place),
            not row.wait_for_somebody,
            _ordered(row.days, row),
            _ordered(row.cautious_days, row),
            row.change_days or 0,
            -(row.blocking_count or 0),
            -row.payments_waiting,
            row.tenant_name.casefold(),
            row.tenant_id,
        )

    return tuple(sorted(rows, key=rank))
