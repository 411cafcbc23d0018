"""Rows of a portfolio with sensible values that a test overrides."""

from datetime import UTC, date, datetime
from typing import Any

from experiences.portfolio.document import PortfolioDocument, build_portfolio
from experiences.portfolio.overview import Link, Standing, TenantOverview
from runway_calcs.forecast.figures import RunwayState
from runway_calcs.policy import AttentionPolicy

_FIGURES = (
    "week_ending",
    "state",
    "covered_until",
    "days",
    "cautious_until",
    "cautious_days",
    "cash_cents",
    "low_cents",
    "low_on",
    "change_days",
)


def make_overview(**overrides: Any) -> TenantOverview:
    """A tenant that needs no attention; without a digest it has no figures."""
    values: dict[str, Any] = {
        "firm_id": "oak",
        "tenant_id": "acme",
        "tenant_name": "Acme Design",
        "standing": Standing.OK,
        "week_ending": date(2026, 11, 20),
        "currency": "USD",
        "state": RunwayState.BURNING,
        "covered_until": date(2027, 1, 29),
        "days": 70,
        "cautious_until": date(2027, 1, 8),
        "cautious_days": 49,
        "cash_cents": 8_014_007,
        "low_cents": -210_000,
        "low_on": date(2027, 2, 12),
        "change_days": 3,
        "link": Link.CONNECTED,
        "data_as_of": datetime(2026, 11, 20, 10, 0, tzinfo=UTC),
        "is_stale": False,
        "is_behind": False,
        "has_failed": False,
        "tray_count": 4,
        "blocking_count": 0,
        "moving_count": 0,
        "mail_unknown": 0,
        "mail_failed": 0,
        "mail_bounced": 0,
        "resend_command": "",
        "to_approve": 1,
        "to_decide": 1,
        "due": 0,
        "to_seal": 0,
        "sealed": 0,
        "to_review": 0,
    }
    if overrides.get("standing", Standing.OK) is not Standing.OK:
        values |= dict.fromkeys(_FIGURES)
    return TenantOverview(**{**values, **overrides})


def make_portfolio(*rows: TenantOverview, firm_name: str = "Oak & Partners") -> PortfolioDocument:
    """The portfolio of these rows in their week."""
    return build_portfolio(
        rows, firm_id="oak", firm_name=firm_name, week_ending=date(2026, 11, 20), policy=AttentionPolicy()
    )
