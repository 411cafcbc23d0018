"""What a tenant's pages of one week say, read off each and looked for on the others."""

import re
from datetime import date, timedelta

from experiences.digest.wording import counted, money_exact, money_short, short_date
from resources.documents import Document
from tests.experiences.parsed import parse
from tests.experiences.rendered_tables import Row, Table, cents, table_about, tables
from tests.pipelines.told_a_week_before import by_key, change_as_read, drive_as_read, key_of
from tests.pipelines.told_of_payments import payments_as_read


def same_as_read(
    tenant: str, html: dict[str, str], *, friday: date, before: Document, portfolio: str, mail: str
) -> None:
    """Figures as they stand on one page, read off it and looked for on the others.

    `html` is the tenant's pages by kind, `before` the digest of the week before, `mail` the text of the firm's mail.
    """
    week = {short_date(friday + timedelta(days=ahead), near=friday) for ahead in range(1, 8)}
    digest, tray, console = (html[kind] for kind in ("friday_digest", "tray", "console"))
    (at, row) = next((at, row) for at in tables(portfolio) for row in at.rows if row.label == tenant)
    told = parse(digest).text
    _portfolio_row_as_read(at, row, told=told)
    by_kind, by_account = table_about(digest, "Counted as cash"), parse(console).text
    assert by_kind is not None
    cash = by_kind.rows[-1].values[0]
    assert f"Cash {cash}, floor" in by_account
    assert at.value(row, "Cash") == money_short(cents(cash), currency="USD")
    assert money_short(cents(_after(by_account, "floor")), currency="USD") == _after(told, "floor of")
    _fixes_as_read(digest, tray, count=at.value(row, "To fix"))
    _state_of_the_books_as_read(told, tray, blocking=at.small_print(row, "To fix"))
    bills = [one for one in tables(console) if one.columns[:2] == ["Bill", "Open"]]
    _bills_as_read(digest, bills)
    _plan_as_read(digest, [(at, row) for at in bills if "In the plan" in at.columns for row in at.rows], week=week)
    payments_as_read(digest, console, at, row)
    drive_as_read(html["test_drive"], before=before, digest=digest, console=console)
    # Under the name in the portfolio stands why the client is in the mail, if it is.
    assert (f"* {tenant}\n" in mail) == bool(row.detail), row
    entry = mail.split(f"* {tenant}\n")[1].split("\n* ", maxsplit=1)[0] if row.detail else ""
    if entry:
        _firm_mail_as_read(entry, at, row)
    change_as_read(digest, at, row, entry=entry)


def _firm_mail_as_read(entry: str, at: Table, row: Row) -> None:
    """What the firm's mail says of a client stands in its line of the portfolio."""
    assert f"Cash {at.value(row, 'Cash')}" in entry
    assert f"low point {at.value(row, 'Low point')} on {at.small_print(row, 'Low point')}" in entry
    if at.small_print(row, "Covered until"):
        assert f"Covered until {at.value(row, 'Covered until')} ({at.small_print(row, 'Covered until')})" in entry
    if at.small_print(row, "Cautious date"):
        assert f"cautious date {at.value(row, 'Cautious date')} ({at.small_print(row, 'Cautious date')})" in entry
    if at.value(row, "To fix") != "0":
        known = at.small_print(row, "To fix").replace("known wrong", "known to be wrong")
        fixes = f"{counted(int(at.value(row, 'To fix')), 'entry', 'entries')} to fix{f' ({known})' if known else ''}"
        assert re.search(rf"{re.escape(fixes)}[;.]", entry)
    if at.value(row, "Payments waiting"):
        count = counted(int(at.value(row, "Payments waiting")), "payment")
        waiting = re.search(rf"{count} waiting: ([^.]+)\.", entry)
        assert waiting is not None
        assert waiting.group(1).split(", ") == re.findall(r"\d+ [a-z ]+[a-z]", at.small_print(row, "Payments waiting"))
    assert f"Books read on {at.value(row, 'Books read')}." in entry


def _portfolio_row_as_read(at: Table, row: Row, *, told: str) -> None:
    until, cautious = at.value(row, "Covered until"), at.value(row, "Cautious date")
    if at.small_print(row, "Covered until"):
        assert f"Covered until {until}" in told
        assert f"{at.small_print(row, 'Covered until')} from" in told
    else:
        assert {"beyond 13 weeks": "Covered beyond", "below the floor": "Below the floor on"}[until] in told
    if at.small_print(row, "Cautious date"):
        assert f"Cautious date: {cautious} ({at.small_print(row, 'Cautious date')})" in told
    assert f"ow point {at.value(row, 'Low point')} on {at.small_print(row, 'Low point')}" in told


def _after(text: str, words: str) -> str:
    """The amount that follows these words."""
    found = re.search(rf"{re.escape(words)} (-?\$[\d.,]*\d[kMB]?)", text)
    assert found is not None, words
    return found.group(1)


def _fixes_as_read(digest: str, tray: str, *, count: str) -> None:
    """Each entry that the digest names stands in the tray with the same effect; a long tray is in parts."""
    short = table_about(digest, "By what mending it changes")
    whole = [(at, row) for at in tables(tray) if at.caption == "By what mending each changes" for row in at.rows]
    if short is None:
        assert (whole, count) == ([], "0")
        return
    assert len(whole) == int(count)
    assert f": {counted(int(count), 'entry', 'entries')}" in short.caption
    assert f"{counted(int(count), 'entry', 'entries')} to look at" in parse(tray).text
    for one in short.rows:
        label, told = (
            one.label.rstrip("\N{HORIZONTAL ELLIPSIS}"),
            [short.value(one, at) for at in ("Runway", "Low point")],
        )
        same = [
            [at.value(row, column) for column in ("Runway", "Low point")]
            for at, row in whole
            if row.label.startswith(label)
        ]
        assert told in same, label


def _state_of_the_books_as_read(told: str, tray: str, *, blocking: str) -> None:
    """The score, what is known to be wrong, and what a person has set aside."""
    page = parse(tray).text
    assert re.findall(r"State of the books: \d+ of 100", told) == re.findall(r"State of the books: \d+ of 100", page)
    behind = re.search(r"Behind (\d+) of them", page)
    assert blocking == ("" if behind is None else f"{behind.group(1)} known wrong")
    shown = [row.detail for at in tables(tray) if at.caption.startswith("By what mending") for row in at.rows]
    assert sum("Known to be wrong" in one for one in shown) == int(behind.group(1) if behind else 0)
    aside, table = re.search(r"(\d+) entr(?:y|ies) set aside by a person", told), table_about(tray, "Snoozed")
    assert (0 if table is None else len(table.rows)) == int(aside.group(1) if aside else 0)


def _bills_as_read(digest: str, console: list[Table]) -> None:
    """Each bill that the digest names stands in the console with the same number, amount and day."""
    bills = [(at, row) for at in console for row in at.rows]

    def of(line: Row) -> list[tuple[Table, Row]]:
        number = re.search(r"no\. [^,]+", line.detail)
        return [
            (at, row)
            for at, row in bills
            if row.label == line.label
            and (number is None or re.search(rf"{re.escape(number.group())}(?!\w)", row.detail) is not None)
        ]

    due = 0
    for beginning in ("Bills past due", "Bills due by"):
        for line in _rows(digest, beginning):
            # A part that is decided stands beside the plan.
            parts = [cents(at.value(row, "Open")) for at, row in of(line)]
            assert cents(line.values[0]) in {*parts, sum(parts)}, line
        named = table_about(digest, beginning)
        due += 0 if named is None else cents(named.caption.rsplit(", ", maxsplit=1)[1])
    sums = table_about(digest, "Going out by")
    if sums is not None:
        owed, *_ = sums.rows
        assert cents(owed.values[0]) == due
    for line in _rows(digest, "Bills in the plan"):
        day, *_ = line.detail.split(",")
        planned = [at.value(row, "In the plan") for at, row in of(line) if "In the plan" in at.columns]
        assert any(day in text for text in planned), (line, planned)
    for line in _rows(digest, "Bills that can wait"):
        found = {at.value(row, "Open") for at, row in of(line) if "In the plan" in at.columns}
        assert line.values[0] in found, line


def _plan_as_read(digest: str, bills: list[tuple[Table, Row]], *, week: set[str]) -> None:
    """How many payments the week ahead has, what waiting costs, and which discounts still stand."""
    plans = by_key((row, at.value(row, "In the plan")) for at, row in bills)
    planned = table_about(digest, "Bills in the plan until")
    days = [day for at, row in bills for day in _planned_days(at.value(row, "In the plan")) if day in week]
    caption = re.search(r": ([\d,]+) payments?, ", planned.caption) if planned else None
    assert len(days) == int(caption.group(1).replace(",", "") if caption else 0)
    for line in _rows(digest, "Bills that can wait"):
        cost = re.search(r"waiting costs \$([\d.,]+\d)", line.detail)
        words = f"waiting costs {cost.group(1)}" if cost else ""
        assert any(plan.split("; ")[-1].startswith(words) for plan in plans[key_of(line)]), line
    listed = table_about(digest, "Discounts that still stand")
    standing = by_key((one, f"{one.values[0]} {one.detail}") for one in (listed.rows if listed else ()))
    for _, row in bills:
        ending = re.search(r"the discount of ([\d.,]+\d) ends on (\d+ \w+)", row.detail)
        if ending is not None and key_of(row) in standing:
            words = f"${ending.group(1)} until {ending.group(2)}"
            assert any(one.startswith(words) for one in standing[key_of(row)]), row
    if listed is not None and f": {counted(len(listed.rows), 'discount')}, " in listed.caption:
        saved = sum(cents(one.values[0]) for one in listed.rows)
        assert listed.caption.endswith(money_exact(saved, currency="USD"))


def _planned_days(text: str) -> list[str]:
    """The days on which the words of a plan pay."""
    if text.startswith("Paid in parts"):
        return re.findall(r" on (\d+ \w{3})", text.split(":", maxsplit=1)[0])
    return re.findall(r"^(?:Paid on|Waits until) (\d+ \w{3})", text)


def _rows(html: str, beginning: str) -> list[Row]:
    found = table_about(html, beginning)
    return [] if found is None else found.rows
