"""The pages in a real browser, as wide as a phone, a tablet and a desk, light and dark: nothing sticks out, axe is content."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request

from cli.unsubscribing import unsubscribe_routes
from experiences.digest.render import render_html as digest_html
from experiences.test_drive.document import DAY, WEEK, FlaggedEntries, Since
from experiences.test_drive.render import render_html as drive_html
from experiences.tray.ranking import Ruling
from experiences.tray.render import render_html as tray_html
from resources.clock import FixedClock
from resources.database import Database
from resources.mail.message import MailWriter
from resources.mail.outbox_rows import MailContent
from resources.mail.recipients import Recipients
from resources.mail.tables import of_firm
from resources.mail.unsubscribe import MailKeys, Subscription
from resources.settings import MailSettings
from tests.browser import CHROMIUM, NO_CHROMIUM, Chromium, start_chromium
from tests.experiences.builders import FRIDAY, make_change, make_digest
from tests.experiences.drive_builders import (
    NO_FORECAST,
    OPEN,
    make_document,
    make_documents,
    make_drive,
    make_runway,
    make_week,
)
from tests.experiences.every_page import AT, MAKERS
from tests.experiences.examples import NO_DATA, QUIET, TIGHT
from tests.experiences.named_digest import with_names
from tests.experiences.priority_builders import make_defect
from tests.experiences.test_tray import make_tray, many_defects
from tests.resources.mail_builders import make_recipient, make_row

_AXE = Path(__file__).parents[1] / "clients" / "node" / "node_modules" / "axe-core" / "axe.min.js"
#: Looking at the page to unsubscribe asks no database.
_NOT_OPENED = Path("/nowhere/runway.sqlite")
_WIDTHS = (360, 768, 1280)
_LONG = "Ostrava Hosting and Telecommunications " * 8
_HOSTILE = "<script>\N{RIGHT-TO-LEFT OVERRIDE}=cmd|'/c'\N{GRINNING FACE}" + "x" * 300

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason=NO_CHROMIUM),
    pytest.mark.skipif(
        not _AXE.exists(), reason="axe-core is not installed: `make test` installs the packages of tests/clients/node"
    ),
]


#: On a phone the cells of a page stand below each other and begin at the left; nowhere do two columns touch.
_TORN = """
[...document.querySelectorAll("table[role=table] tbody tr")].flatMap(row => {
    const box = cell => {
        const range = document.createRange();
        range.selectNodeContents(cell);
        return range.getBoundingClientRect();
    };
    const cells = [...row.children].filter(cell => box(cell).width > 0);
    const stacked = getComputedStyle(row).display === "block";
    return cells.slice(1).filter((cell, at) => stacked
        ? !["left", "start"].includes(getComputedStyle(cell).textAlign)
        : box(cell).left < box(cells[at]).right + 8).map(cell => cell.textContent.trim().slice(0, 60));
})
"""


#: No head of a column is broken inside a word.
_BROKEN = """
[...document.querySelectorAll("th[scope=col]")].filter(head => {
    const range = document.createRange();
    range.selectNodeContents(head);
    return !head.textContent.trim().includes(" ") && range.getClientRects().length > 1;
}).map(head => head.textContent)
"""


def _mailed() -> str:
    """The published digest with the line that is its reader's own."""
    published = make_digest()
    content = MailContent(subject="x", html=digest_html(published), text="x")
    settings = MailSettings(from_address="digest@oak.example", unsubscribe_url="https://runway.example")
    writer = MailWriter(keys=MailKeys([bytes(32)]), settings=settings)
    envelope = writer.write(make_row(content), recipient=make_recipient(), content=content, at=AT)
    page = message_from_bytes(envelope.message, policy=default).get_body(("html",))
    assert isinstance(page, EmailMessage)
    return str(page.get_content())


def _unsubscribing() -> str:
    """What a reader sees who follows the link of a mail."""
    clock, keys = FixedClock(AT), MailKeys([bytes(32)])
    (ask, *_) = unsubscribe_routes(Recipients(Database(f"sqlite:///{_NOT_OPENED}"), clock=clock), keys=keys)
    token = keys.unsubscribe_token(Subscription(owner=of_firm("oak"), address="ann@oak.example"))
    answer = asyncio.run(ask.endpoint(Request({"type": "http", "path_params": {"token": token}})))
    return bytes(answer.body).decode()


def _tray() -> str:
    ruling = Ruling(defect=make_defect(object_id="32").key, until=None, author="ann", reason=_LONG)
    defects = [make_defect(), make_defect(object_id="31", label=_HOSTILE, what=_LONG), make_defect(object_id="32")]
    return tray_html(make_tray(defects, rulings=(ruling,)))


def _drive() -> str:
    fell = make_week(
        2,
        actual=[6_000_000],
        basis="reconstructed",
        since=Since(
            until=FRIDAY - DAY, below_on=FRIDAY - DAY, low_cents=-1_204_055, low_on=FRIDAY - DAY, is_whole=True
        ),
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
    "tight digest": digest_html(replace(TIGHT, tenant_name=_LONG)),
    "digest without data": digest_html(NO_DATA),
    "digest of a quiet week": digest_html(QUIET),
    "digest that changed by no day": digest_html(make_digest(change=make_change(days=0))),
    "tray": _tray(),
    "long tray": tray_html(make_tray(many_defects())),
    **{kind: make(_LONG)[0] for kind, make in MAKERS.items()},
    "digest as it was mailed": _mailed(),
    "unsubscribing": _unsubscribing(),
    "test drive": _drive(),
}
HOSTILE = {
    "digest": digest_html(with_names(_HOSTILE)),
    **{kind: make(_HOSTILE)[0] for kind, make in MAKERS.items()},
}


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    with start_chromium(tmp_path_factory.mktemp("chromium")) as running:
        yield running


def _look(browser: Chromium, file: Path, *, width: int, scheme: str) -> None:
    """Open the page on such a screen; it has to fit."""
    browser.look_like(width=width, scheme=scheme)
    browser.open(f"{file.as_uri()}?{width}{scheme}")
    browser.settle(
        "new Promise(done => { const look = () => document.readyState === 'complete' && "
        f"location.search === '?{width}{scheme}' ? done(true) : setTimeout(look, 10); look(); }})"
    )
    browser.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    assert browser.evaluate("document.documentElement.scrollWidth") <= width, f"wider than {width}"
    assert browser.evaluate(_TORN) == [], f"at {width}"
    assert browser.evaluate(_BROKEN) == [], f"at {width}"


def _pages() -> list[Any]:
    """Those that are other digests with fewer rows are in the long suite."""
    fewer = ("digest of a quiet week", "digest that changed by no day", "digest without data")
    return [pytest.param(name, marks=[pytest.mark.long] if name in fewer else []) for name in PAGES]


@pytest.mark.parametrize("name", _pages())
def test_nothing_sticks_out_and_axe_finds_nothing_serious(browser: Chromium, tmp_path: Path, name: str) -> None:
    file = tmp_path / "page.html"
    file.write_text(PAGES[name], encoding="utf-8")
    axe = _AXE.read_text(encoding="utf-8")
    for width in _WIDTHS:
        for scheme in ("light", "dark"):
            _look(browser, file, width=width, scheme=scheme)
            assert browser.evaluate("matchMedia('(prefers-color-scheme: dark)').matches") == (scheme == "dark")
            browser.evaluate(axe)
            found = browser.settle(
                "axe.run(document, {resultTypes: ['violations']}).then(result => result.violations"
                ".filter(one => ['serious', 'critical'].includes(one.impact))"
                ".map(one => one.id + ': ' + one.nodes.map(node => node.target + ' ' + node.failureSummary).join(' | ')))"
            )
            assert found == [], f"{name} at {width}, {scheme}"


@pytest.mark.parametrize("name", HOSTILE)
def test_a_word_without_an_end_stays_in_its_page_and_runs_nothing(browser: Chromium, tmp_path: Path, name: str) -> None:
    file = tmp_path / "page.html"
    file.write_text(HOSTILE[name], encoding="utf-8")
    for width in _WIDTHS:
        _look(browser, file, width=width, scheme="light")
        assert browser.evaluate("document.scripts.length") == 0
