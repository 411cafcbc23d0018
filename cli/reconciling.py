"""`runway reconcile`: the kept books of a tenant against QuickBooks' own reports, on demand.

Belongs here: which day, the reading, the table. Does not: the arithmetic (`runway_calcs/books/reconciliation.py`).
"""

from collections.abc import Sequence
from datetime import date

import typer
from rich.table import Table

from cli.session import console, open_installation, problems
from resources.installation import Installation
from resources.qbo.patience import Tally
from resources.qbo.reports import REPORTS, reported_figures
from resources.tenants import Tenant, tenant_id
from runway_calcs.books.reconciliation import Agreement, Comparison, PresentBooks, reconcile, reconcile_with_reports

_MOST_LINES = 10


def reconcile_tenant(tenant: str = typer.Argument(help="The tenant.")) -> None:
    """Set a tenant's kept books against QuickBooks' reports. Reads three reports (metered). Exit code 1 if they differ."""
    with open_installation() as installation:
        known = installation.registry.tenant(tenant_id(tenant))
        console.print(f"Reading {', '.join(REPORTS)} from QuickBooks: {len(REPORTS)} metered calls.")
        read_at, comparisons = compare(installation, known)
        console.print(
            f"Kept books as read at {read_at} UTC. What was entered since then shows as a difference too.", markup=False
        )
        _show(comparisons)
    if any(one.agreement is not Agreement.AGREES for one in comparisons):
        problems.print("The books and the reports are not the same. Nothing was changed.")
        raise typer.Exit(code=1)


def compare(installation: Installation, tenant: Tenant) -> tuple[str, tuple[Comparison, ...]]:
    """When the newest books were read, and what the reports and the books' own identities say of them."""
    # Importing Dagster takes seconds: only the commands that need it pay for it.
    from assets.present_books import present_books  # noqa: PLC0415

    present = present_books(tenant, installation=installation)
    line = installation.company_line(tenant.tenant_id)
    day = max(tenant.local_date(installation.clock.now()), _last_day(present.books))
    figures = reported_figures(line, day=day, tally=Tally())
    against = reconcile_with_reports(
        present.books,
        payables_cents=figures.payables_cents,
        receivables_cents=figures.receivables_cents,
        sheet_cents=figures.sheet_cents,
    )
    return f"{present.sync.data_as_of:%Y-%m-%d %H:%M}", (*against, *reconcile(present.books))


def _last_day(books: PresentBooks) -> date:
    """The last date any entry carries: a report of that day leaves none of them out."""
    dates = [frame["txn_date"].max() for frame in (books.documents, books.postings)]
    return max((day.date() for day in dates if day == day), default=date.min)  # noqa: PLR0124 - NaT is not itself


def _show(comparisons: Sequence[Comparison]) -> None:
    table = Table("Comparison", "Stated", "From the kept books", "Difference", "")
    for one in comparisons:
        table.add_row(
            one.name,
            *(_money(figure) for figure in (one.stated_cents, one.derived_cents, one.difference_cents)),
            one.reason or one.agreement.value,
        )
    console.print(table)
    for one in comparisons:
        if len(one.differences) == 1 and one.differences[0].subject.startswith("accounts "):
            continue  # the table has said it
        for found in one.differences[:_MOST_LINES]:
            console.print(
                f"{one.name}: {found.subject} differs by {_money(found.difference_cents)}", markup=False, soft_wrap=True
            )
        if len(one.differences) > _MOST_LINES:
            console.print(f"{one.name}: and {len(one.differences) - _MOST_LINES} more", markup=False, soft_wrap=True)


def _money(cents: int | None) -> str:
    if cents is None:
        return "-"
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100:,}.{abs(cents) % 100:02d}"
