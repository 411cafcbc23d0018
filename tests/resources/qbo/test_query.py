"""Statements: whatever the value, the language sees one literal (attacks as vendor names and numbers)."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.qbo import query
from resources.qbo.query import BadStatement, compare, literal, one_of, select

_ATTACKS = [
    r"O'Brien\' OR Id > '0",
    "trailing backslash\\",
    "\\\\",
    "'",
    "\\'",
    "%27 OR 1=1",
    "') OR Id IN ('1",
    "x' STARTPOSITION 1 MAXRESULTS 1 --",
    "\u02bc\uff07",
]


def read_literal(text: str) -> tuple[str, str]:
    """The first literal of a text and what follows it, by the documented rule: a backslash escapes one character."""
    assert text[0] == "'"
    value, at = "", 1
    while text[at] != "'":
        at += text[at] == "\\"
        value += text[at]
        at += 1
    return value, text[at + 1 :]


@pytest.mark.parametrize("value", _ATTACKS)
def test_an_attack_stays_one_literal(value: str) -> None:
    statement = select("Vendor", where=[compare("DisplayName", "=", value)]).text
    before, _, rest = statement.partition(" = ")
    assert before == "SELECT * FROM Vendor WHERE DisplayName"
    assert read_literal(rest) == (value, " STARTPOSITION 1 MAXRESULTS 1000")


@given(st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"])))
def test_any_text_comes_back_from_its_literal(value: str) -> None:
    assert read_literal(literal(value) + " AND Id = '1'") == (value, " AND Id = '1'")


@pytest.mark.parametrize("value", ["a\nb", "a\x00b", "\t", "\x7f", "\u2028", "\ud800", "\x9b"])
def test_control_characters_are_refused(value: str) -> None:
    with pytest.raises(BadStatement):
        literal(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, "true"),
        (False, "false"),
        (12, "'12'"),
        (Decimal("1E+2"), "'100'"),
        (Decimal("-0.10"), "'-0.10'"),
        (date(2026, 5, 1), "'2026-05-01'"),
        (datetime(2026, 5, 1, 3, 4, 5, 999_999, tzinfo=UTC), "'2026-05-01T03:04:05Z'"),
    ],
)
def test_each_type_has_its_literal(value: Any, expected: str) -> None:
    assert literal(value) == expected


@pytest.mark.parametrize(
    "build",
    [
        lambda: select("Bill; DROP"),
        lambda: select("bill"),
        lambda: compare("Id OR Id", "=", "1"),
        lambda: compare("Line", "=", "1"),
        lambda: compare("Id", ">", "0"),
        lambda: compare("TotalAmt", "= 1 OR", 1),  # type: ignore[arg-type]  # the attack
        lambda: compare("TotalAmt", "=", Decimal("NaN")),
        lambda: compare("TxnDate", "=", datetime(2026, 5, 1)),  # noqa: DTZ001 - the mistake that is refused
        lambda: one_of("Id", []),
        lambda: select("Bill", order_by=("Balance",)),
        lambda: select("Bill", start=0),
        lambda: select("Bill", most=1001),
    ],
)
def test_names_operators_and_positions_come_from_the_lists(build: Any) -> None:
    with pytest.raises(BadStatement):
        build()


def test_a_statement_reads_as_the_language_wants_it() -> None:
    since = datetime(2026, 5, 1, tzinfo=UTC)
    statement = select(
        "Account",
        where=[one_of("Active", (True, False)), compare("MetaData.CreateTime", ">=", since)],
        order_by=("MetaData.CreateTime", "Id"),
        start=11,
        most=10,
    )
    assert statement.text == (
        "SELECT * FROM Account WHERE Active IN (true, false) AND MetaData.CreateTime >= '2026-05-01T00:00:00Z' "
        "ORDERBY MetaData.CreateTime ASC, Id ASC STARTPOSITION 11 MAXRESULTS 10"
    )
    assert query.MOST_RESULTS == 1000
