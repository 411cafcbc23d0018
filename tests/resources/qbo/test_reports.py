"""Which cell of a report is which figure, on shapes as they were recorded."""

from typing import Any

import pytest
import simplejson

from resources.qbo.answers import RawAnswer
from resources.qbo.errors import QboContradiction, QboUnavailable
from resources.qbo.reports import account_balances, ageing_total


def _answer(body: Any) -> RawAnswer:
    return RawAnswer(call="the report X", status=200, headers={}, text=simplejson.dumps(body))


def _report(rows: Any, *, columns: list[dict[str, Any]] | None = None, nothing: str = "false") -> dict[str, Any]:
    keyed = [
        {"ColTitle": "", "ColType": "Vendor", "MetaData": [{"Name": "ColKey", "Value": "vendor"}]},
        {"ColTitle": "Gesamt", "ColType": "Money", "MetaData": [{"Name": "ColKey", "Value": "total"}]},
    ]
    return {
        "Header": {"ReportName": "X", "Option": [{"Name": "NoReportData", "Value": nothing}]},
        "Columns": {"Column": keyed if columns is None else columns},
        "Rows": rows,
    }


def _total(value: str) -> dict[str, Any]:
    return {"Summary": {"ColData": [{"value": "TOTAL"}, {"value": value}]}, "type": "Section", "group": "GrandTotal"}


_VENDOR = {"ColData": [{"value": "Amy", "id": "1"}, {"value": "10.00"}]}


@pytest.mark.parametrize(("value", "cents"), [("1602.67", 160_267), ("-46.00", -4_600), ("0.00", 0), ("7", 700)])
def test_the_total_of_an_ageing_summary(value: str, cents: int) -> None:
    assert ageing_total(_answer(_report({"Row": [_VENDOR, _total(value)]}))) == cents


def test_columns_without_keys_are_known_by_their_type() -> None:
    columns = [{"ColTitle": "", "ColType": "Vendor"}, {"ColTitle": "", "ColType": "Money"}]
    assert ageing_total(_answer(_report({"Row": [_total("5.00")]}, columns=columns))) == 500


@pytest.mark.parametrize("rows", [{}, {"Row": None}, None])
def test_a_report_that_says_it_holds_nothing_is_zero(rows: Any) -> None:
    assert ageing_total(_answer(_report(rows, nothing="true"))) == 0
    assert account_balances(_answer(_report(rows, nothing="true"))) == {}


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(_report({"Row": [_VENDOR]}), id="cut before its total"),
        pytest.param(_report({"Row": [_VENDOR, _total("")]}), id="a total that is blank is not zero"),
        pytest.param(_report({"Row": [_VENDOR, _total("many")]}), id="a total that is no amount"),
        pytest.param(_report({"Row": [_total("1")]}, columns=[]), id="no columns"),
        pytest.param({"Fault": {}}, id="no report"),
        pytest.param([], id="a list"),
    ],
)
def test_a_report_that_is_not_whole_is_no_figure(body: Any) -> None:
    with pytest.raises(QboContradiction):
        ageing_total(_answer(body))


def test_a_cut_text_is_a_failure_of_the_line() -> None:
    with pytest.raises(QboUnavailable):
        ageing_total(RawAnswer(call="x", status=200, headers={}, text='{"Header": {'))


def test_accounts_at_any_depth_have_their_own_balance() -> None:
    leaf = {"ColData": [{"value": "Checking", "id": "35"}, {"value": "1201.00"}], "type": "Data"}
    own = {"ColData": [{"value": "Savings", "id": "36"}, {"value": "-8.00"}], "type": "Data"}
    parent = {
        "Header": {"ColData": [{"value": "Savings", "id": "36"}, {"value": ""}]},
        "Rows": {"Row": [own, {"ColData": [{"value": "Sub", "id": "37"}, {"value": ""}], "type": "Data"}]},
        "Summary": {"ColData": [{"value": "Total Savings"}, {"value": "-8.00"}]},
        "type": "Section",
    }
    banks = {"Rows": {"Row": [leaf, parent]}, "group": "BankAccounts", "type": "Section"}
    found = account_balances(_answer(_report({"Row": [{"Rows": {"Row": [banks]}, "type": "Section"}]})))
    assert found == {"35": 120_100, "36": -800}
