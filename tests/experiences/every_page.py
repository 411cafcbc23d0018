"""Pages and mails with one text in each place that a name or a reason of the books can reach."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime

from experiences.console import render as console
from experiences.left_out import LeftOut, LeftOutNotice, left_out_notice
from experiences.pages.index import Listed, ListedFirm, index_page
from experiences.pages.page import Page, page_text, render_page
from experiences.portfolio.exceptions import ExceptionsMail, exceptions_mail
from experiences.portfolio.overview import Link, Standing
from experiences.portfolio.render import portfolio_page
from tests.experiences.console_builders import make_console, make_console_bill, make_console_ledger, make_unplanned
from tests.experiences.portfolio_builders import make_overview, make_portfolio

AT = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)


def console_of(text: str) -> Page:
    """Open bills of a vendor of that name."""
    bill = make_console_bill(vendor=f"V{text}", doc_number=f"N{text}")
    assert bill.planned is not None
    late = replace(bill, planned=replace(bill.planned, reason=f"R{text}"))
    return console.console_page(
        make_console(
            late,
            tenant_name=f"T{text}",
            firm_name=f"F{text}",
            floor_reason=f"R{text}",
            ledger=make_console_ledger(vendor=f"V{text}", name=f"A{text}"),
            unplanned=make_unplanned(vendor=f"V{text}"),
        )
    )


def portfolio_of(text: str) -> Page:
    """Three clients of that name: one well, one in trouble, one without figures."""
    document = make_portfolio(
        make_overview(tenant_name=f"T{text}"),
        make_overview(
            tenant_id="bolt",
            tenant_name=f"T{text}",
            days=19,
            change_days=-9,
            tray_count=12,
            blocking_count=2,
            to_review=1,
            alarms=2,
            sealed=3,
            to_seal=2,
            due=1,
            is_behind=True,
            week_ending=date(2026, 11, 13),
        ),
        make_overview(
            tenant_id="cork",
            tenant_name=f"T{text}",
            standing=Standing.MISSING,
            has_failed=True,
            is_stale=True,
            link=Link.LOST,
            data_as_of=None,
            tray_count=None,
            to_approve=0,
            to_decide=0,
        ),
        firm_name=f"F{text}",
    )
    return portfolio_page(document, links={"acme": "x.html", "bolt": "y.html"})


def exceptions_of(text: str) -> ExceptionsMail:
    """The firm's mail about two clients of that name."""
    return exceptions_mail(
        make_portfolio(
            make_overview(tenant_name=f"T{text}", days=19, change_days=-9, blocking_count=2, moving_count=1),
            make_overview(tenant_id="cork", tenant_name=f"T{text}", standing=Standing.MISSING, has_failed=True),
            make_overview(tenant_id="dune"),
            firm_name=f"F{text}",
        )
    )


def left_out_of(text: str) -> LeftOutNotice:
    """The notice about two clients of that name that failed for that reason."""
    tenants = [
        LeftOut(tenant_id=one, name=f"T{text}", job=job, failed_at=AT)
        for one, job in (("acme", "tenant_sync"), ("bolt", "friday"))
    ]
    return left_out_notice(firm_name=f"F{text}", cause=f"C{text}", tenants=tenants)


def index_of(text: str) -> Page:
    """The index of a firm of that name."""
    weeks = tuple((date(2026, 11, day), f"{day}.html") for day in (20, 13, 6))
    listed = Listed(name=f"T{text}", digests=weeks, bills="b.html", tray="t.html", test_drive="d.html")
    none_yet = Listed(name=f"T{text}", digests=(), bills="", tray="")
    return index_page([ListedFirm(name=f"F{text}", portfolio="oak.html", tenants=(listed, none_yet))])


#: Each as HTML and as text.
MAKERS: dict[str, Callable[[str], tuple[str, str]]] = {
    "console": lambda text: (render_page(console_of(text)), page_text(console_of(text))),
    "portfolio": lambda text: (render_page(portfolio_of(text)), page_text(portfolio_of(text))),
    "index": lambda text: (render_page(index_of(text)), page_text(index_of(text))),
    "firm's mail": lambda text: (exceptions_of(text).html, exceptions_of(text).text),
    "failure notice": lambda text: (left_out_of(text).html, left_out_of(text).text),
}
