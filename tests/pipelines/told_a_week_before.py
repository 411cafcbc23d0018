"""What a week and the one before it tell of each other: the change, the last forecast, and the test drive that looks back on it."""

import re
from collections import defaultdict
from collections.abc import Iterable

from experiences.digest.document import DigestDocument
from experiences.digest.wording import counted, money_exact, money_short
from experiences.portfolio.overview import TenantOverview
from experiences.test_drive.document import DAY, DriveDocument
from experiences.tray.document import TrayDocument
from resources.documents import Document
from runway_calcs.forecast.change import ChangeState
from tests.experiences.parsed import parse
from tests.experiences.rendered_tables import Row, Table, cents, table_about, tables

_BILLS = ("Bills past due", "Bills due by")


def same_week_before(
    digest: DigestDocument, row: TenantOverview, drive: DriveDocument, *, before: DigestDocument, tray: TrayDocument
) -> None:
    """The published facts; `before` and `tray` are those of the week before."""
    change = digest.change
    assert (change.state, change.last_as_of) == (ChangeState.COMPARED, before.as_of)
    assert row.change_days == change.days
    (week,) = drive.weeks
    assert (week.runway, week.cash_cents, week.basis) == (before.runway, before.cash.cash_cents, before.basis)
    money = before.money_out
    assert week.bills.count == money.overdue.count + money.due.count
    assert week.bills.amount_cents == money.overdue.total_cents + money.due.total_cents
    assert week.to_fix.count == before.data_to_fix.defects.count == tray.count
    for closing, told in zip(week.closings, before.weeks, strict=True):
        assert (closing.p10_cents, closing.p90_cents) == (told.p10_cents, told.p90_cents)
    # Both judge that forecast up to the last day that the books know whole: the Friday itself is told a week later.
    scored = digest.last_forecast.closing
    assert scored is not None
    assert (digest.last_forecast.last_as_of, week.since.until) == (before.as_of, digest.as_of - DAY)
    assert not any(closing.has_come for closing in week.closings)
    assert week.since.low_cents is not None
    assert week.since.low_cents <= scored.actual_cents
    assert week.since.low_cents == scored.actual_cents or week.since.low_on != week.since.until


def change_as_read(digest: str, at: Table, row: Row, *, entry: str) -> None:
    """The change of the runway in the portfolio, and in the firm's mail if it has an entry, is the sum of the causes."""
    table = table_about(digest, "On the days that both forecasts cover")
    assert table is not None
    *causes, total = table.rows
    longer, low = table.value(total, "Runway"), table.value(total, "Low point")
    assert _days(longer) == sum(_days(table.value(one, "Runway")) for one in causes)
    assert cents(low) == sum(cents(table.value(one, "Low point")) for one in causes)
    assert at.value(row, "Change") == {"0 days": "none"}.get(longer, longer)
    short = money_short(abs(cents(low)), currency="USD")
    moved = f"{'up' if cents(low) > 0 else 'down'} {short}" if cents(low) else "unchanged"
    # The line that mail programs show beside the subject is hidden on the page.
    assert f"low point {moved} since " in " ".join(digest.split())
    if entry and _days(longer):
        words = f"{longer.lstrip('+-')} {'longer' if _days(longer) > 0 else 'shorter'} than the week before"
        assert words in entry


def _days(text: str) -> int:
    return int(text.split(maxsplit=1)[0].replace(",", ""))


def drive_as_read(drive: str, *, before: Document, digest: str, console: str) -> None:
    """The page of a test drive of one week, beside that week's digest, and this week's digest and console."""
    told, page = parse(before.html).text, parse(drive).text
    overview = table_about(drive, "Each Friday's digest")
    assert overview is not None
    (row,) = overview.rows
    _headline_as_read(overview, row, told=told)
    assert f"It said: {before.title}" in page
    floor = re.search(r"Floor: (\S+)\.", page)
    assert floor is not None
    assert f"floor of {floor.group(1)} (" in told
    chance = r"Below the floor within 13 weeks in [\d.]+ % of the courses\."
    assert re.findall(chance, page) == re.findall(chance, told)
    _closings_as_read(drive, overview, row, before=before.text, digest=digest)
    _bills_as_read(drive, before=before.html, console=console)
    _late_as_read(drive, before=before.html)
    _entries_as_read(drive, before=before.html)


def _headline_as_read(overview: Table, row: Row, *, told: str) -> None:
    said = overview.value(row, "It said")
    dated = re.fullmatch(r"covered until (.+) \((.+)\)", said)
    if dated is not None:
        assert f"Covered until {dated.group(1)}" in told
        assert f"{dated.group(2)} from" in told
    else:
        assert {"covered beyond 13 weeks": "Covered beyond", "below the floor": "Below the floor on"}[said] in told
    cautious = overview.small_print(row, "It said").removeprefix("cautious date ")
    if cautious:
        assert f"Cautious date: {cautious} (" in told
    low = overview.value(row, "Low point it said"), overview.small_print(row, "Low point it said")
    assert f"ow point {low[0]} on {low[1]}" in told


def _closings_as_read(drive: str, overview: Table, row: Row, *, before: str, digest: str) -> None:
    closings, scored = table_about(drive, "Balance at the end"), table_about(digest, "The whole days up to ")
    assert closings is not None
    assert scored is not None
    # The week ends on a Friday whose books are read before it is over.
    assert [closings.value(one, "Balance") for one in closings.rows] == [""] * len(closings.rows)
    assert {closings.value(one, "Band") for one in closings.rows} == {overview.value(row, "Balance a week later")}
    assert overview.value(row, "Balance a week later") == "not known yet"
    until = scored.caption.removeprefix("The whole days up to ")
    assert f"Balances are those of whole days, up to {until}:" in parse(drive).text
    (balance,) = [one for one in scored.rows if one.label == "Balance"]
    if overview.small_print(row, "Lowest since") == until:
        lowest = money_short(cents(scored.value(balance, "Actual")), currency="USD")
        assert overview.value(row, "Lowest since") == lowest
    strip = before.split("THE NEXT 13 WEEKS")[1]
    for one in closings.rows:
        (line,) = re.findall(rf"^{re.escape(one.label)} .* (\S+ to \S+)", strip, re.MULTILINE)
        assert closings.value(one, "8 of 10 courses") == line


def _bills_as_read(drive: str, *, before: str, console: str) -> None:
    flagged = table_about(drive, "Bills past due or due")
    lists = [one for one in tables(before) if one.caption.startswith(_BILLS)]
    sums = [re.search(r": (\d[\d,]*) bills?, (\S+)$", one.caption) for one in lists]
    count = sum(int(one.group(1).replace(",", "")) for one in sums if one)
    amount = money_exact(sum(cents(one.group(2)) for one in sums if one), currency="USD")
    if flagged is None:
        assert not lists
        return
    assert flagged.caption.endswith(f": {counted(count, 'bill')}, {amount}")
    listed = {key_of(one): one.values[0] for at in lists for one in at.rows}
    now = {
        key_of(one): at.value(one, "Open") for at in tables(console) if "A day's wait" in at.columns for one in at.rows
    }
    beside = table_about(console, "Open bills beside the plan")
    parts = set() if beside is None else {key_of(one) for one in beside.rows}
    for one in flagged.rows:
        key = key_of(one)
        if key in listed:
            assert flagged.value(one, "Open then") in listed[key], key
        if key in now and key not in parts:
            assert flagged.value(one, "Open now") in now[key], key


def _late_as_read(drive: str, *, before: str) -> None:
    late, overdue = table_about(drive, "Late against"), table_about(before, "Past due")
    if late is None or overdue is None:
        return
    listed = by_key((one, one.values[0]) for one in overdue.rows)
    for one in late.rows:
        assert key_of(one) not in listed or late.value(one, "Open then") in listed[key_of(one)], one.label


def _entries_as_read(drive: str, *, before: str) -> None:
    flagged, listed = table_about(drive, "Data to fix"), table_about(before, "By what mending it changes")
    if flagged is None or listed is None:
        assert flagged is listed
        return
    assert flagged.caption.split(": ")[1] == listed.caption.split(": ")[1]
    assert listed.rows, "a quiet week's digest names fewer of them than the drive"
    for one, same in zip(flagged.rows, listed.rows, strict=False):
        assert one.label == same.label
        for column in ("Runway", "Low point"):
            assert flagged.value(one, column) == listed.value(same, column), one.label


def key_of(row: Row) -> tuple[str, str]:
    """Whose document it is, and its number."""
    number = re.search(r"no\. ([^,\s]+)", row.detail)
    return row.label, "" if number is None else number.group(1)


def by_key(found: Iterable[tuple[Row, str]]) -> dict[tuple[str, str], set[str]]:
    """What is said of each document; one without a number, or with that of another, cannot be told from it."""
    told: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for row, words in found:
        told[key_of(row)].add(words)
    return dict(told)
