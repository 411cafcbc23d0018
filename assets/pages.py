"""The index of the static pages: what there is to read, by firm and tenant.

Belongs here: finding the pages and writing the index. Does not: its look (`experiences/pages`), the pages themselves.
"""

import os
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from experiences.pages.index import Listed, ListedFirm, index_page
from experiences.pages.page import render_page
from resources.files import write_whole
from resources.installation import Installation
from resources.tenants import Tenant

INDEX = "index.html"
BILLS, TRAYS, PORTFOLIOS, TEST_DRIVES = "bills", "trays", "portfolios", "test-drives"


def write_index(installation: Installation) -> Path:
    """Write the index of all pages that exist; where it is."""
    registry, root = installation.registry, installation.settings.pages_root
    tenants = registry.tenants()
    firms = [
        ListedFirm(
            name=firm.name,
            portfolio=_link(root / PORTFOLIOS / f"{firm.firm_id}.html", root=root),
            tenants=tuple(_listed(installation, one) for one in tenants if one.firm_id == firm.firm_id),
        )
        for firm in registry.firms()
    ]
    file = root / INDEX
    write_whole(file, render_page(index_page(firms)))
    return file


def digest_links(installation: Installation, tenants: Sequence[Tenant], *, folder: Path) -> dict[str, str]:
    """The address of each tenant's newest digest as seen from a folder; tenants without one are left out."""
    links: dict[str, str] = {}
    for one in tenants:
        file = _newest(installation.settings.digests_root / one.tenant_id, until=_today(installation, one))
        if file is not None:
            links[one.tenant_id] = _relative(file, folder=folder)
    return links


def week_links(installation: Installation, tenant: Tenant, *, folder: Path) -> dict[date, str]:
    """The address of each week's digest of a tenant as seen from a folder; weeks without a page are left out."""
    pages = _pages(installation.settings.digests_root / tenant.tenant_id, until=_today(installation, tenant))
    return {date.fromisoformat(file.stem): _relative(file, folder=folder) for file in pages}


def _listed(installation: Installation, tenant: Tenant) -> Listed:
    root, today = installation.settings.pages_root, _today(installation, tenant)
    digests = _pages(installation.settings.digests_root / tenant.tenant_id, until=today)
    return Listed(
        name=tenant.name,
        digests=tuple((date.fromisoformat(file.stem), _relative(file, folder=root)) for file in digests),
        bills=_newest_link(root / BILLS / tenant.tenant_id, root=root, until=today),
        tray=_newest_link(root / TRAYS / tenant.tenant_id, root=root, until=today),
        test_drive=_newest_link(root / TEST_DRIVES / tenant.tenant_id, root=root, until=today),
    )


def _today(installation: Installation, tenant: Tenant) -> date:
    return tenant.local_date(installation.clock.now())


def _pages(folder: Path, *, until: date) -> list[Path]:
    """The pages of a folder of weeks that end by a day, the newest first: one of a week to come hides none of them."""
    return sorted((file for file in folder.glob("????-??-??.html") if file.stem <= until.isoformat()), reverse=True)


def _newest(folder: Path, *, until: date) -> Path | None:
    return next(iter(_pages(folder, until=until)), None)


def _newest_link(folder: Path, *, root: Path, until: date) -> str:
    file = _newest(folder, until=until)
    return "" if file is None else _relative(file, folder=root)


def _link(file: Path, *, root: Path) -> str:
    return _relative(file, folder=root) if file.exists() else ""


def _relative(file: Path, *, folder: Path) -> str:
    return Path(os.path.relpath(file, folder)).as_posix()
