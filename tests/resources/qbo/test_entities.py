import json
from copy import deepcopy
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from resources.qbo.entities import MODELS, BadObject, Deleted, parse
from resources.qbo.fields import QboObject
from resources.qbo.transactions import Bill, Invoice
from tests.resources.qbo.builders import BODIES, D, deleted, make, parsed, text

_ENTITIES = st.sampled_from(sorted(MODELS))
_JUNK: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, False, 0, -1, D("1E+400"), D("0.1"), "", "x", "2026-02-30", [], [1], {}, {"value": 5}, "9" * 200]
)


def _paths(value: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path for key, inner in items for path in [(*here, key), *_paths(inner, (*here, key))]]


def _parsed_or_refused(entity: str, raw: str | bytes) -> QboObject | BadObject:
    try:
        return parse(entity, raw)
    except BadObject as bad:
        return bad


@pytest.mark.parametrize("entity", sorted(MODELS))
def test_every_kind_is_read_and_keeps_unknown_fields_exactly(entity: str) -> None:
    found = parsed(entity, Surprise={"Rate": D("0.10"), "Nothing": None})
    assert found.entity == entity
    assert found.id == "145"
    assert found.created_at == datetime(2026, 5, 5, 10, 14, 55, tzinfo=UTC)
    assert found.model_extra is not None
    assert found.model_extra["Surprise"] == {"Rate": D("0.10"), "Nothing": None}
    assert str(found.model_extra["Surprise"]["Rate"]) == "0.10"


def test_amounts_are_exact_whether_they_come_whole_or_with_cents() -> None:
    bill = parse("Bill", text(make("Bill")).replace('"TotalAmt": 100.00', '"TotalAmt": 250').encode())
    assert isinstance(bill, Bill)
    assert (bill.total_amt, bill.balance) == (Decimal(250), Decimal("40.00"))


@pytest.mark.parametrize("written", ["2026-05-31", "2026-05-31Z", "2026-05-31-07:00", "2026-05-31+02:00"])
def test_a_date_is_the_calendar_day_whatever_offset_is_written_behind_it(written: str) -> None:
    invoice = parsed("Invoice", DueDate=written)
    assert isinstance(invoice, Invoice)
    assert invoice.due_date == date(2026, 5, 31)


@pytest.mark.parametrize("empty", [None, {}, ...])
def test_an_absent_reference_may_be_left_out_null_or_empty(empty: Any) -> None:
    bill = parsed("Bill", SalesTermRef=empty, DocNumber=None, LinkedTxn=None)
    assert isinstance(bill, Bill)
    assert (bill.sales_term_ref, bill.doc_number, bill.linked_txn) == (None, None, ())


def test_a_realm_sized_id_keeps_all_digits() -> None:
    assert parsed("Bill", "5000000000000503624").id == "5000000000000503624"


@pytest.mark.parametrize(
    ("entity", "overrides", "field"),
    [
        pytest.param("Bill", {"TotalAmt": "100.00"}, "TotalAmt", id="an amount as text"),
        pytest.param("Bill", {"TotalAmt": True}, "TotalAmt", id="an amount as boolean"),
        pytest.param("Bill", {"TotalAmt": ...}, "TotalAmt", id="no amount"),
        pytest.param("Bill", {"TotalAmt": None}, "TotalAmt", id="a null amount"),
        pytest.param("Bill", {"TotalAmt": D("1E+30")}, "TotalAmt", id="an amount beyond reason"),
        pytest.param("Bill", {"Id": 145}, "Id", id="an id as number"),
        pytest.param("Bill", {"Id": "1'; --"}, "Id", id="an id that is none"),
        pytest.param("Bill", {"VendorRef": {"name": "x"}}, "VendorRef.value", id="a reference without id"),
        pytest.param("Bill", {"TxnDate": "05/01/2026"}, "TxnDate", id="a date of another form"),
        pytest.param("Bill", {"TxnDate": "2026-02-30"}, "TxnDate", id="a day that is not"),
        pytest.param("Bill", {"ExchangeRate": 0}, "ExchangeRate", id="a rate of zero"),
        pytest.param("Bill", {"Line": [{"Amount": "1"}]}, "Line.0.Amount", id="deep inside"),
        pytest.param("Bill", {"MetaData": {"CreateTime": "2026-05-05T03:14:55"}}, "MetaData.CreateTime", id="no offset"),
        pytest.param("Account", {"CurrentBalance": ...}, "", id="a bank without balance"),
        pytest.param("Account", {"AccountType": ""}, "AccountType", id="an account without type"),
        pytest.param("BillPayment", {"PayType": "Wire"}, "PayType", id="another way to pay"),
        pytest.param("BillPayment", {"CheckPayment": ...}, "", id="paid from nowhere"),
        pytest.param("Payment", {"Line": [{"Amount": 1, "LinkedTxn": [{"TxnId": "1", "TxnType": "Invoice"}] * 2}]},
                     "Line.0.LinkedTxn", id="one amount for two documents"),
    ],
)  # fmt: skip
def test_what_would_become_a_wrong_figure_is_refused_with_its_place(
    entity: str, overrides: dict[str, Any], field: str
) -> None:
    raw = text(make(entity, **overrides))
    with pytest.raises(BadObject) as caught:
        parse(entity, raw)
    assert caught.value.field == field
    assert caught.value.raw_text == raw
    assert caught.value.expected
    assert caught.value.came


def test_the_message_of_a_bad_object_quotes_none_of_its_values() -> None:
    with pytest.raises(BadObject) as caught:
        parsed("Bill", TotalAmt="a client's secret")
    assert "secret" not in str(caught.value)
    assert "secret" in caught.value.came
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("spoil", ['"Surprise": NaN, ', '"TotalAmt": 1, "TotalAmt": 1, '])
def test_an_object_that_is_no_json_still_gives_its_id(spoil: str) -> None:
    with pytest.raises(BadObject) as caught:
        parse("Bill", text(make("Bill")).replace("{", "{" + spoil, 1))
    assert caught.value.qbo_id == "145"


def test_an_id_said_twice_is_no_id() -> None:
    with pytest.raises(BadObject) as caught:
        parse("Bill", '{"Id": "1", "Id": "2"}')
    assert caught.value.qbo_id is None


def test_a_voided_bill_payment_is_read() -> None:
    assert parsed("BillPayment", TotalAmt=0, Line=[], CheckPayment=..., PrivateNote="Voided").id == "145"


@pytest.mark.parametrize("entity", sorted(MODELS))
def test_a_deletion_notice_becomes_its_own_kind(entity: str) -> None:
    _, found = deleted(entity)
    assert isinstance(found, Deleted)
    assert (found.entity, found.id, found.is_deleted, found.created_at) == (entity, "145", True, None)


@given(_ENTITIES, st.binary() | st.text() | st.text().map(lambda inside: '{"Id":"1","x":"' + inside))
@example("Bill", b"[" * 100_000)
@example("Bill", b'{"a":' * 100_000)
@example("Bill", b"\xff\xfe")
@example("Bill", b'{"TotalAmt":1E+9999999999999999999}')
def test_whatever_the_bytes_it_is_an_object_or_a_bad_object(entity: str, raw: str | bytes) -> None:
    found = _parsed_or_refused(entity, raw)
    assert isinstance(found, QboObject | BadObject)


@given(_ENTITIES, st.data())
def test_whatever_is_changed_in_an_object_it_is_an_object_or_a_bad_object(entity: str, data: st.DataObject) -> None:
    body = make(entity)
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(_paths(body)))
        inner: Any = body
        for step in path[:-1]:
            inner = inner[step]
        inner[path[-1]] = deepcopy(data.draw(_JUNK))
        if not _paths(body):
            break
    raw = text(body)
    found = _parsed_or_refused(entity, raw)
    assert found.entity == entity
    assert isinstance(found, QboObject) or (found.raw_text == raw and found.expected)


@given(_ENTITIES, st.data())
def test_a_text_cut_anywhere_is_a_bad_object(entity: str, data: st.DataObject) -> None:
    whole = text(make(entity))
    with pytest.raises(BadObject):
        parse(entity, whole[: data.draw(st.integers(0, len(whole) - 1))])


def test_the_builders_know_every_kind() -> None:
    assert set(BODIES) == set(MODELS)
    assert all(json.loads(text(make(entity))) for entity in BODIES)
