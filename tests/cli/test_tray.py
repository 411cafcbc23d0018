"""The tray by the command: listed with its names, ruled about with who and why, tried without a trace, refused in words."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from assets.pages import write_index
from cli.session import console
from experiences.tray.document import to_json
from experiences.tray.links import link
from resources.documents import Document
from resources.installation import Installation
from resources.tenants import tenant_id
from tests.cli.command import Command, running
from tests.experiences.priority_builders import make_defect
from tests.experiences.test_tray import COMPANY, make_tray

_ENTRY = "missing-due-date/Bill/30"
_WHY = ("--reason", "the vendor was asked", "--by", "ann")
_LATER = (datetime.now(tz=UTC).date() + timedelta(days=40)).isoformat()


@pytest.fixture
def command(bare_installation: Installation) -> Iterator[Command]:
    """The command for a tenant whose tray was published."""
    registry = bare_installation.registry
    registry.add_firm("oak", name="Oak")
    for tenant in ("acme", "bolt"):
        registry.add_tenant(tenant, firm_id="oak", name=tenant, zone="Europe/London")
    bare_installation.documents.publish(
        Document(
            tenant_id=tenant_id("acme"),
            kind="tray",
            key="2026-11-20",
            title="",
            body=to_json(make_tray([make_defect(), make_defect(object_id="31")])),
            html="",
            text="",
            data_as_of=datetime(2026, 11, 20, 10, 0, tzinfo=UTC),
        )
    )
    yield from running(bare_installation)


def _listed(command: Command, *more: str) -> list[str]:
    return [one["entry"] for one in command.json("tray", "list", "acme", *more)]


def test_a_ruling_counts_at_once_and_is_taken_back(command: Command) -> None:
    both = [_ENTRY, "missing-due-date/Bill/31"]
    assert _listed(command) == both
    command.done("tray", "snooze", "acme", _ENTRY, "--until", _LATER, *_WHY)
    assert _listed(command) == both[1:]
    (ruled, _) = command.json("tray", "list", "acme", "--all")
    assert (ruled["ruling"]["author"], ruled["ruling"]["reason"]) == ("ann", "the vendor was asked")
    assert ruled["link"] == link("Bill", "30", company=COMPANY)
    command.done("tray", "dismiss", "acme", _ENTRY, *_WHY)
    assert _listed(command) == both[1:]
    command.done("tray", "reopen", "acme", _ENTRY, *_WHY)
    assert _listed(command) == both


def test_the_list_names_entries_whole_and_their_effects_as_the_page_does(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "width", 60)
    listed = command.done("tray", "list", "acme")
    rows = listed.split("┡")[1].splitlines()
    names, lows = ("".join(line.split("│")[at].strip() for line in rows if line.startswith("│")) for at in (1, 5))
    assert names == _ENTRY + "missing-due-date/Bill/31", "an entry is typed as it is listed"
    assert "+" in lows


def test_a_dry_run_records_nothing(command: Command) -> None:
    assert "Nothing was recorded" in command.done("tray", "dismiss", "acme", _ENTRY, *_WHY, "--dry-run")
    assert len(_listed(command)) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("dismiss", "acme", "missing-due-date/Bill/99", *_WHY), "is not in the tray"),
        (("dismiss", "acme", "nonsense", *_WHY), "is no entry of a tray"),
        (("snooze", "acme", _ENTRY, "--until", "2020-01-03", *_WHY), "lies after today"),
        (("snooze", "acme", _ENTRY, "--until", "soon", *_WHY), "is no day"),
        (("reopen", "acme", _ENTRY, *_WHY), "Nothing was said about"),
        (("list", "bolt"), "runway friday --tenant bolt"),
    ],
)
def test_what_cannot_be_done_is_refused_with_what_is_possible(
    command: Command, arguments: tuple[str, ...], message: str
) -> None:
    assert message in command.refused("tray", *arguments)


def test_open_prints_where_the_index_is_and_lists_what_there_is(
    command: Command, bare_installation: Installation, tmp_path: Path
) -> None:
    digest = bare_installation.settings.digests_root / "acme" / "2026-11-20.html"
    digest.parent.mkdir(parents=True)
    digest.write_text("x")
    shown = Path(command.done("open", "--print").strip())
    page = shown.read_text()
    assert "../digests/acme/2026-11-20.html" in page
    assert (shown.parent / "../digests/acme/2026-11-20.html").resolve() == digest
    assert write_index(bare_installation) == shown
