"""`runway open`: the pages of all tenants, in the browser.

Belongs here: writing the index anew and showing it. Does not: the pages (`assets/pages.py`, `experiences/pages`).
"""

import webbrowser

import typer

from assets.pages import write_index
from cli.session import console, open_installation


def open_pages(
    *, only_print: bool = typer.Option(False, "--print", help="Say where the index is, and open nothing.")
) -> None:
    """Show the index of digests, open bills, trays and portfolios; reads nothing from QuickBooks."""
    with open_installation() as installation:
        file = write_index(installation)
    console.print(str(file), markup=False, soft_wrap=True, highlight=False)
    if not only_print:
        webbrowser.open(file.as_uri())
