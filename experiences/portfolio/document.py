"""A firm's portfolio as data: every tenant once, in the order of attention.

Belongs here: its shape, its rules, its JSON form. Does not: reasons and order (``overview.py``), words (``render.py``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from experiences.digest.comparison import require
from experiences.digest.wording import plain_text
from experiences.portfolio.overview import TenantOverview, by_attention
from experiences.stored_json import StoredJson
from runway_calcs.policy import AttentionPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class PortfolioDocument:
    """Everything that a firm's page says."""

    schema_version: Literal[3]
    firm_id: str
    firm_name: str
    week_ending: date
    """The newest Friday in any of its tenants' calendars."""
    rows: tuple[TenantOverview, ...]
    policy: AttentionPolicy
    stale_count: int
    newest_data_as_of: datetime | None
    own_mails_open: int = 0
    """Mails of the last weeks to the firm itself that wait for a person to say whether they are sent again."""
    own_resend_command: str = ""
    """The command that sends the first of them that may be sent once more; empty without one."""
    own_closed_address: str = ""
    """The first address of the others, which takes no mail until somebody says that it works; empty without one."""

    def __post_init__(self) -> None:
        require(len({row.tenant_id for row in self.rows}) == len(self.rows), "a tenant stands in a portfolio once")
        require({row.firm_id for row in self.rows} <= {self.firm_id}, "a portfolio holds tenants of one firm")
        require(
            bool(self.own_mails_open) == bool(self.own_resend_command or self.own_closed_address),
            "a mail in question has a command that sends it again, or an address that takes none",
        )

    @property
    def exceptions(self) -> tuple[TenantOverview, ...]:
        """The tenants that need attention."""
        return tuple(row for row in self.rows if row.reasons(self.policy))


def build_portfolio(
    rows: Sequence[TenantOverview],
    *,
    firm_id: str,
    firm_name: str,
    week_ending: date,
    policy: AttentionPolicy,
    own_mails_open: int = 0,
    own_resend_command: str = "",
    own_closed_address: str = "",
) -> PortfolioDocument:
    """The portfolio of one firm."""
    reads = [row.data_as_of for row in rows if row.data_as_of is not None]
    return PortfolioDocument(
        schema_version=3,
        firm_id=firm_id,
        firm_name=plain_text(firm_name),
        week_ending=week_ending,
        rows=by_attention(rows, policy=policy),
        policy=policy,
        stale_count=sum(row.is_stale for row in rows),
        newest_data_as_of=max(reads, default=None),
        own_mails_open=own_mails_open,
        own_resend_command=own_resend_command,
        own_closed_address=own_closed_address,
    )


_STORED = StoredJson(PortfolioDocument, what="portfolio", remedy="Materialize fleet/portfolio again.")
to_json = _STORED.to_json
from_json = _STORED.from_json
