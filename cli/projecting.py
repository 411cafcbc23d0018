"""The week's forecast beside a what-if: read from the published console document, told in words.

Belongs here: finding the draws, words. Does not: commands (`cli/decide.py`, `cli/batch.py`), arithmetic.
"""

from collections.abc import Mapping
from typing import Any

from cli.entering import money
from cli.paying import Desk
from cli.session import console
from experiences.console.document import from_json
from experiences.digest.wording import counted
from payments.bills.projected_cash import projection
from payments.bills.what_if import Projection

NO_FORECAST = (
    "No week's forecast is published yet: `runway friday` makes one, then the effect on the weeks ahead is told, too."
)


def forecast_of(desk: Desk) -> Projection | None:
    """What the newest published week says of supposed payments; None without a forecast."""
    installation = desk.installation
    today = installation.registry.tenant(desk.tenant).local_date(installation.clock.now())
    published = installation.documents.newest(desk.tenant, kind="console", not_after=today)
    if published is None:
        return None
    document = from_json(published.body)
    if document.draws is None or document.floor_cents is None:
        return None
    return projection(document.draws, floor_cents=document.floor_cents)


def show_projected(projected: Mapping[str, Any]) -> None:
    """The effect on the forecast in sentences."""
    for line in projected_lines(projected):
        console.print(line, markup=False, soft_wrap=True)


def projected_lines(projected: Mapping[str, Any]) -> list[str]:
    """What supposed payments change in the forecast of a week, a line each."""
    if not projected:
        return [NO_FORECAST]
    before, after = projected["before"], projected["after"]
    lines = [
        f"Forecast as of {projected['as_of']} ({projected['draws']} of its courses), with these payments on their days:",
        f"  runway (P50)          {_days(before['days'])} -> {_days(after['days'])} "
        f"({_longer(projected['days'], is_bound=projected['is_open_ended'])})",
        f"  low point (P50)       {money(before['low_cents'])} -> {money(after['low_cents'])} "
        f"({_signed_money(projected['low_cents'])})",
        f"  below floor at all    {_percent(before['below_floor_ppm'])} -> {_percent(after['below_floor_ppm'])}",
    ]
    if projected["uncounted_bill_ids"]:
        bills = ", ".join(projected["uncounted_bill_ids"])
        lines.append(f"  not counted           {bills}: decided before that forecast or not among its bills")
    return lines


def _days(days: int | None) -> str:
    return "beyond 13 weeks" if days is None else counted(days, "day")


def _longer(days: int, *, is_bound: bool) -> str:
    if not days:
        return "unchanged"
    return f"{'at least ' if is_bound else ''}{counted(abs(days), 'day')} {'longer' if days > 0 else 'shorter'}"


def _signed_money(cents: int) -> str:
    return f"+{money(cents)}" if cents > 0 else str(money(cents))


def _percent(ppm: int) -> str:
    return f"{ppm / 10_000:.0f} %"
