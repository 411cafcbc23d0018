"""The forecast of one generated company of each industry beside what came: the figures behind `docs/runway-review.md`.

    python -m benchmarks.review_runway

Each company is asked on 7 August 2026, from what its books held at 05:00 that day; the truth is the local QuickBooks' own journal.
"""

import tempfile
from datetime import date
from pathlib import Path

from runway_calcs.books.burn import Burn, burn
from runway_calcs.forecast.figures import CashForecast
from runway_calcs.forecast.historical import historical_forecast
from runway_calcs.forecast.prepared import ForecastInputs
from runway_calcs.forecast.simulation import week_seed
from runway_calcs.policy import BurnPolicy, CashPolicy, ForecastPolicy, RecurringPolicy
from tests.generated_books import GeneratedBooks, Spec, generating
from tests.runway_calcs.calibrating import ledger_of

FRIDAY = date(2026, 8, 7)
INDUSTRIES = ("marketing_agency", "construction", "professional_services", "e_commerce", "consulting")
SEED = 21
SHOWN_WEEKS = (1, 4, 8, 13)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, generating(Path(folder)) as generator:
        for industry in INDUSTRIES:
            print(review(generator.books(Spec(industry=industry, size="small", seed=SEED)), industry=industry))


def review(books: GeneratedBooks, *, industry: str) -> str:
    forecast = historical_forecast(
        ledger_of(books),
        at=books.at(FRIDAY),
        home_currency=books.home_currency,
        inputs=ForecastInputs(),
        cash_policy=CashPolicy(),
        policy=ForecastPolicy(),
        recurring_policy=RecurringPolicy(),
        seed=week_seed(industry, as_of=FRIDAY),
    ).forecast
    spent = burn(books.movements(FRIDAY), as_of=FRIDAY, cash_cents=forecast.cash_cents, policy=BurnPolicy())
    return "\n".join(
        (f"\n## {industry}\n", *_headline(forecast, spent), "", *_kinds(forecast), "", *_weeks(forecast, books))
    )


def _headline(forecast: CashForecast, spent: Burn) -> list[str]:
    assert forecast.low is not None
    band = forecast.low.band
    return [
        f"- state: {forecast.state}; P50 {forecast.covered_until}, P10 {forecast.cautious_until}",
        f"- cash {_money(forecast.cash_cents)}, floor {_money(forecast.floor_cents)} ({forecast.floor_reason})",
        f"- low point {_money(band.p50_cents)} ({_money(band.p10_cents)} to {_money(band.p90_cents)}) on {forecast.low.on}",
        f"- gross burn a day {_money(spent.gross_per_day_cents)}, net {_money(spent.net_per_day_cents)}",
        f"- buffer {spent.buffer_days} days",
    ]


def _kinds(forecast: CashForecast) -> list[str]:
    sums: dict[str, int] = {}
    for week in forecast.weeks:
        for total in (*week.receipts, *week.disbursements):
            sums[total.kind] = sums.get(total.kind, 0) + total.amount_cents
    return [f"- 13 weeks, {kind}: {_money(cents)}" for kind, cents in sums.items() if cents]


def _weeks(forecast: CashForecast, books: GeneratedBooks) -> list[str]:
    came = [int(cents) for cents in books.future_cash(FRIDAY)]
    lines = ["| week | expected | band | came |", "| --- | --- | --- | --- |"]
    inside = 0
    for week in forecast.weeks:
        band, actual = week.closing_band, came[7 * week.number - 1]
        inside += band.p10_cents <= actual <= band.p90_cents
        if week.number in SHOWN_WEEKS:
            shown = f"{_money(band.p10_cents)} to {_money(band.p90_cents)}"
            lines.append(f"| {week.number} | {_money(week.closing_cents)} | {shown} | {_money(actual)} |")
    return [*lines, "", f"{inside} of {len(forecast.weeks)} weeks inside; lowest balance that came {_money(min(came))}"]


def _money(cents: int | None) -> str:
    return "none" if cents is None else f"{cents / 100:,.0f}"


if __name__ == "__main__":
    main()
