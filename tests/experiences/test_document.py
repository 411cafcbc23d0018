"""The document as data: its rules and its JSON."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from experiences.digest.document import (
    Ageing,
    CashAccount,
    DigestDocument,
    from_json,
    to_json,
)
from experiences.digest.listing import MAX_ROWS, Listing
from experiences.stored_json import UnreadableDocumentError
from runway_calcs.books.burn import BurnState
from runway_calcs.books.cash import CashState
from runway_calcs.forecast.figures import RunwayState
from tests.experiences.builders import make_digest
from tests.experiences.strategies import documents, slow_inputs


@given(documents())
@slow_inputs
def test_a_document_survives_its_json_and_gives_the_same_bytes_again(document: DigestDocument) -> None:
    text = to_json(document)
    assert from_json(text) == document
    assert to_json(from_json(text)) == text


def test_no_float_stands_in_a_stored_digest() -> None:
    def refuse(text: str) -> Any:
        raise AssertionError(f"{text} is a float")

    json.loads(to_json(make_digest()), parse_float=refuse)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("{}", id="an empty object"),
        pytest.param(to_json(make_digest()).replace('"schema_version":4', '"schema_version":1'), id="another version"),
        pytest.param(to_json(make_digest()).replace('"total_cents":', '"total_cents":1'), id="sums that do not hold"),
        pytest.param(to_json(make_digest())[:-40], id="cut short"),
    ],
)
def test_a_stored_text_that_is_no_digest_says_what_to_do(text: str) -> None:
    with pytest.raises(UnreadableDocumentError, match="Materialize digest/friday_digest"):
        from_json(text)


def test_a_state_without_an_answer_carries_no_figure() -> None:
    document = make_digest()
    with pytest.raises(ValueError, match="only a runway that ends"):
        replace(make_digest(floor_cents=7_000_000).runway, state=RunwayState.NO_DATA)
    with pytest.raises(ValueError, match="floor and low point"):
        replace(document.runway, state=RunwayState.NOT_COMPUTABLE)
    with pytest.raises(ValueError, match="cash has a figure"):
        replace(document.cash, state=CashState.NOT_COMPUTABLE)
    with pytest.raises(ValueError, match="gross burn"):
        replace(document.burn, state=BurnState.NO_DATA)


def test_figures_that_contradict_each_other_are_no_digest() -> None:
    document = make_digest()
    with pytest.raises(ValueError, match="buckets sum"):
        Ageing(bucket_cents=(1, 2, 3, 4, 5), total_cents=16)
    with pytest.raises(ValueError, match="closes at opening"):
        replace(document.weeks[0], closing_cents=0)
    with pytest.raises(ValueError, match="opens where"):
        replace(document, weeks=(document.weeks[0], document.weeks[2]))
    with pytest.raises(ValueError, match="what the first week pays"):
        replace(document, money_out=replace(make_digest(bills=()).money_out))
    with pytest.raises(ValueError, match="cash is the sum"):
        replace(document.cash, cash_cents=1)


def test_a_list_keeps_no_more_rows_than_a_mail_can_hold() -> None:
    row = CashAccount(name="Operating", balance_cents=1)
    with pytest.raises(ValueError, match="first rows only"):
        Listing(rows=(row,) * (MAX_ROWS + 1), count=MAX_ROWS + 1, total_cents=MAX_ROWS + 1)
