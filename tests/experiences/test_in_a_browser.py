"""The pages in a real browser, as wide as a phone, a tablet and a desk, light and dark: nothing sticks out, axe is content."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from experiences.digest.render import render_html as digest_html
from experiences.pages.index import Listed, ListedFirm, index_page
from experiences.pages.page import render_page
from experiences.portfolio.overview import Standing
from experiences.portfolio.render import render_portfolio
from experiences.test_drive.document import WEEK, FlaggedEntries, Since
from experiences.test_drive.render import render_html as drive_html
from experiences.tray.ranking import Ruling
from experiences.tray.render import render_html as tray_html
from tests.browser import CHROMIUM, NO_CHROMIUM, Chromium, start_chromium
from tests.experiences.builders import FRIDAY, make_digest
from tests.experiences.drive_builders import (
    NO_FORECAST,
    OPEN,
    make_document,
    make_documents,
    make_drive,
    make_runway,
    make_week,
)
from tests.experiences.examples import NO_DATA, TIGHT
from tests.experiences.portfolio_builders import make_overview, make_portfolio
from tests.experiences.priority_builders import make_defect
from tests.experiences.test_tray import make_tray

_AXE = Path(__file__).parents[1] / "clients" / "node" / "node_modules" / "axe-core" / "axe.min.js"
_WIDTHS = (360, 768, 1280)
_LONG = "Ostrava Hosting and Telecommunications " * 8

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason=NO_CHROMIUM),
    pytest.mark.skipif(
        not _AXE.exists(), reason="axe-core is not installed: `make test` installs the packages of tests/clients/node"
    ),
]


def _portfolio() -> str:
    rows = [
        make_overview(),
        make_overview(tenant_id="bolt", tenant_name=_LONG, days=19, change_days=-9, blocking_count=2),
        make_overview(
            tenant_id="cork", tenant_name="<script>", standing=Standing.MISSING, has_failed=True, is_stale=True
        ),
    ]
    return render_portfolio(make_portfolio(*rows), links={"acme": "x.html", "bolt": "y.html"})


def _tray() -> str:
    ruling = Ruling(defect=make_defect(object_id="32").key, until=None, author="ann", reason=_LONG)
    hostile = "\N{RIGHT-TO-LEFT OVERRIDE}=cmd|'/c'" + "x" * 300
    defects = [make_defect(), make_defect(object_id="31", label=hostile, what=_LONG), make_defect(object_id="32")]
    return tray_html(make_tray(defects, rulings=(ruling,)))


def _index() -> str:
    digests = tuple((f"2026-11-{day:02d}", f"{day}.html") for day in (20, 13, 6))
    tenants = (
        Listed(name=_LONG, digests=digests, bills="b.html", tray="t.html", test_drive="d.html"),
        Listed(name="Acme", digests=(), bills="", tray=""),
    )
    return render_page(index_page([ListedFirm(name="Oak & Partners", portfolio="oak.html", tenants=tenants)]))


def _drive() -> str:
    fell = make_week(
        2,
        actual=[6_000_000, None],
        basis="reconstructed",
        since=Since(until=FRIDAY, below_on=FRIDAY, low_cents=-1_204_055, low_on=FRIDAY, is_whole=True),
        late=make_documents(
            make_document(party=_LONG, fate=OPEN), make_document(party="\N{RIGHT-TO-LEFT OVERRIDE}=cmd|'/c'")
        ),
    )
    empty = make_week(
        1,
        runway=make_runway(FRIDAY - WEEK, **NO_FORECAST),
        late=make_documents(),
        bills=make_documents(),
        to_fix=FlaggedEntries(rows=(), count=0, gone_count=0),
    )
    return drive_html(make_drive(fell, empty, tenant_name=_LONG), links={FRIDAY - WEEK: "w.html"})


PAGES = {
    "digest": digest_html(make_digest()),
    "tight digest": digest_html(replace(TIGHT, tenant_name=_LONG)),
    "digest without data": digest_html(NO_DATA),
    "tray": _tray(),
    "portfolio": _portfolio(),
    "index": _index(),
    "test drive": _drive(),
}


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    with start_chromium(tmp_path_factory.mktemp("chromium")) as running:
        yield running


@pytest.mark.parametrize("name", PAGES)
def test_nothing_sticks_out_and_axe_finds_nothing_serious(browser: Chromium, tmp_path: Path, name: str) -> None:
    file = tmp_path / "page.html"
    file.write_text(PAGES[name], encoding="utf-8")
    axe = _AXE.read_text(encoding="utf-8")
    for width in _WIDTHS:
        for scheme in ("light", "dark"):
            browser.look_like(width=width, scheme=scheme)
            browser.open(f"{file.as_uri()}?{width}{scheme}")
            browser.settle(
                "new Promise(done => { const look = () => document.readyState === 'complete' && "
                f"location.search === '?{width}{scheme}' ? done(true) : setTimeout(look, 10); look(); }})"
            )
            assert browser.evaluate("matchMedia('(prefers-color-scheme: dark)').matches") == (scheme == "dark")
            assert browser.evaluate("document.documentElement.scrollWidth") <= width, f"{name} at {width}"
            browser.evaluate(axe)
            found = browser.settle(
                "axe.run(document, {resultTypes: ['violations']}).then(result => result.violations"
                ".filter(one => ['serious', 'critical'].includes(one.impact))"
                ".map(one => one.id + ': ' + one.nodes.map(node => node.target + ' ' + node.failureSummary).join(' | ')))"
            )
            assert found == [], f"{name} at {width}, {scheme}"
