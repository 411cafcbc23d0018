from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.qbo.answers import Page
from resources.qbo.errors import QboContradiction
from resources.qbo.kinds import KINDS
from resources.qbo.paging import read_window
from resources.qbo.query import Statement
from tests.resources.qbo.books_of_text import BooksOfText

_BILL = KINDS["Bill"]
_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
_UNTIL = _EPOCH + timedelta(days=1)


def _second(number: int) -> str:
    return (_EPOCH + timedelta(seconds=number)).isoformat()


def _read(fetch: Callable[[Statement], Page], *, page_rows: int) -> list[str]:
    return [row.key for page in read_window(_BILL, until=_UNTIL, fetch=fetch, page_rows=page_rows) for row in page]


@given(st.lists(st.integers(0, 6), max_size=40), st.integers(2, 7))
def test_every_object_is_read_once_however_many_share_a_second(seconds: list[int], page_rows: int) -> None:
    books = BooksOfText()
    for number, second in enumerate(seconds):
        books.add("Bill", str(number), created=_second(second))
    assert sorted(_read(books.fetch, page_rows=page_rows)) == books.ids("Bill")


@given(
    seconds=st.lists(st.integers(0, 4), min_size=1, max_size=30),
    page_rows=st.integers(2, 6),
    edits=st.lists(st.tuples(st.sampled_from(["edit", "delete", "add"]), st.integers(0, 29)), max_size=12),
)
def test_what_is_there_from_first_to_last_page_is_read_once_while_people_edit(
    seconds: list[int], page_rows: int, edits: list[tuple[str, int]]
) -> None:
    """QBO's own order by last change would lose or repeat rows here: each edit moves an object to another page."""
    books = BooksOfText()
    for number, second in enumerate(seconds):
        books.add("Bill", str(number), created=_second(second))
    left = set(books.ids("Bill"))
    waiting = list(edits)

    def fetch(statement: Statement) -> Page:
        page = books.fetch(statement)
        if waiting:
            what, number = waiting.pop()
            if what == "add":
                books.add("Bill", f"later{number}{len(waiting)}", created=(_UNTIL + timedelta(minutes=1)).isoformat())
            elif str(number) in books.ids("Bill"):
                if what == "edit":
                    books.replace("Bill", str(number), PrivateNote="edited")
                else:
                    books.remove("Bill", str(number))
                    left.discard(str(number))
        return page

    found = _read(fetch, page_rows=page_rows)
    assert len(found) == len(set(found))
    assert left <= set(found)
    assert set(found) <= {str(number) for number in range(len(seconds))}


def test_a_page_of_one_second_is_left_by_position_and_no_row_is_lost_when_one_vanishes() -> None:
    books = BooksOfText()
    for number in range(10, 22):
        books.add("Bill", str(number), created=_second(5))
    calls = 0

    def fetch(statement: Statement) -> Page:
        nonlocal calls
        calls += 1
        if calls == 2:
            books.remove("Bill", "10")  # everything behind it moves up by one
        return books.fetch(statement)

    assert sorted(set(_read(fetch, page_rows=4)) | {"10"}) == [str(number) for number in range(10, 22)]
    assert any("STARTPOSITION 4" in statement for statement in books.statements)


def test_objects_entered_after_the_window_closed_are_left_to_the_next_sync() -> None:
    books = BooksOfText()
    books.add("Bill", "1", created=_UNTIL.isoformat())
    books.add("Bill", "2", created=(_UNTIL + timedelta(seconds=1)).isoformat())
    assert _read(books.fetch, page_rows=10) == ["1"]


def test_a_page_out_of_order_is_refused_instead_of_losing_rows() -> None:
    books = BooksOfText()
    for number in range(6):
        books.add("Bill", str(number), created=_second(number))

    def newest_first(statement: Statement) -> Page:
        page = books.fetch(statement)
        return Page(entity="Bill", objects=tuple(reversed(page.objects)), time=None, intuit_tid="1-abc")

    with pytest.raises(QboContradiction, match="not in the order"):
        _read(newest_first, page_rows=3)


def test_unreadable_objects_do_not_stop_a_read() -> None:
    books = BooksOfText()
    for number in range(3):
        books.add("Bill", str(number), created=_second(number))
        books.add_text("Bill", f'{{"Id": "bad{number}", "TotalAmt": NaN}}', created=_second(number))
    books.add_text("Bill", '{"nothing": NaN, "Id": 5}', created=_second(0))
    found = _read(books.fetch, page_rows=2)
    assert len(found) == len(set(found)) == 7
    assert {"0", "1", "2", "bad0", "bad1", "bad2"} < set(found)


def test_inactive_list_objects_are_asked_for() -> None:
    books = BooksOfText()
    list(read_window(KINDS["Vendor"], until=_UNTIL, fetch=books.fetch))
    list(read_window(_BILL, until=_UNTIL, fetch=books.fetch))
    assert "Active IN (true, false)" in books.statements[0]
    assert "Active" not in books.statements[1]


@pytest.mark.parametrize("rows", [0, 1, 999, 1000, 1001, 2500])
def test_a_read_costs_one_call_for_each_thousand_begun(rows: int) -> None:
    books = BooksOfText()
    for number in range(rows):
        books.add("Bill", str(number), created=_second(number))
    assert len(_read(books.fetch, page_rows=1000)) == rows
    assert len(books.statements) <= rows // 999 + 1
