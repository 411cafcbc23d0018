import json
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from resources.qbo.exact_json import NotJson, Reader, load

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.text(st.characters(codec="utf-8"), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
_STORABLE = _VALUES.filter(lambda value: "\\u0000" not in json.dumps(value))


@pytest.mark.parametrize(
    ("text", "value"),
    [("100.00", "100.00"), ("0", "0"), ("337.50", "337.50"), ("0.30000000000000004", "0.30000000000000004")],
)
def test_a_number_keeps_every_digit(text: str, value: str) -> None:
    loaded = load(text)
    assert isinstance(loaded, Decimal)
    assert str(loaded) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "NaN",
        '{"a": -Infinity}',
        '{"a": 1, "a": 1}',
        '{"a": {"b": 1, "b": 2}}',
        "1" * 65,
        "1E+99999999999999999999",
        "[" * 65 + "]" * 65,
        '"\\ud800"',
        '"\ud800"',
        '"\\u0000"',
        "{'a': 1}",
        "[1,]",
    ],
)
def test_what_json_leaves_open_is_refused(text: str) -> None:
    with pytest.raises(NotJson):
        load(text)


def test_a_backslash_before_u0000_is_text_and_no_nul() -> None:
    assert load(r'"\\u0000 \\ud800"') == r"\u0000 \ud800"


def test_a_pair_of_escaped_halves_is_one_character() -> None:
    assert load(r'"\ud83d\ude00"') == "😀"


@given(_STORABLE)
def test_what_json_writes_is_read_back(value: object) -> None:
    assert load(json.dumps(value)) == value
    assert load(json.dumps(value, ensure_ascii=False)) == value


@given(st.text())
@example("[[[[" * 10_000)
@example('{"a":' * 10_000)
def test_any_text_is_a_value_or_not_json(text: str) -> None:
    try:
        load(text)
    except NotJson:
        return
    json.loads(text)


@given(st.lists(_STORABLE, max_size=6), st.sampled_from([None, 1, 4]))
def test_the_reader_hands_out_each_element_exactly(values: list[object], indent: int | None) -> None:
    reader = Reader(json.dumps({"before]}": "[{", "list": values, "after": 1}, indent=indent))
    found: list[str] = []
    for key in reader.members():
        if key == "list":
            found.extend(reader.take() for _ in reader.elements())
        else:
            reader.take()
    reader.finish()
    assert [json.loads(text) for text in found] == values


@pytest.mark.parametrize(
    "element", ['{"a": NaN}', '{"a": 1, "a": 2}', '{"a" 1}', '{"a": 1 2}', "nonsense", '"]}\\"{["']
)
def test_an_element_that_is_no_json_leaves_its_neighbours_alone(element: str) -> None:
    reader = Reader(f'[{{"Id": "1"}}, {element} , {{"Id": "3"}}]')
    assert [reader.take() for _ in reader.elements()] == ['{"Id": "1"}', element, '{"Id": "3"}']


@given(_STORABLE, st.data())
def test_a_cut_text_is_noticed(value: object, data: st.DataObject) -> None:
    whole = json.dumps({"list": [value], "time": "now"})
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]
    with pytest.raises(NotJson):
        _walk(Reader(cut))


def _walk(reader: Reader) -> None:
    for _ in reader.members():
        reader.take()
