"""python-quickbooks asks questions: queries, batch, change data, reports."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from quickbooks import QuickBooks
from quickbooks.batch import batch_create, batch_delete, batch_update
from quickbooks.cdc import change_data_capture
from quickbooks.helpers import qb_datetime_utc_offset_format
from quickbooks.objects import Account, Bill, BillPayment, Customer, Invoice, Payment, Purchase, Vendor
from quickbooks.objects.batchrequest import BatchItemRequest, IntuitBatchRequest

from tests.clients.books import account, new_bill, new_bill_payment, new_vendor, unused
from tests.sandbox import Sandbox

pytestmark = pytest.mark.clients


def now(sandbox: Sandbox) -> datetime:
    return datetime.fromisoformat(sandbox.control.get("/__sandbox__/clock").json()["now"])


def all_of(entity: Any, qb: QuickBooks, **more: Any) -> list[Any]:
    """Every object of an entity by pages in an explicit order, as the documentation asks."""
    found: list[Any] = []
    while page := entity.all(order_by="Id", start_position=len(found) + 1, max_results=30, qb=qb, **more):
        found += page
    return found


def test_paging_to_an_empty_page_finds_as_many_as_the_count_says(qb: QuickBooks) -> None:
    for entity in (Bill, BillPayment, Invoice, Payment, Purchase):
        found = all_of(entity, qb)
        assert len({each.Id for each in found}) == len(found) == entity.count(qb=qb) > 60


def test_transactions_come_newest_changed_first_and_lists_by_name(qb: QuickBooks) -> None:
    changed = [each.MetaData.LastUpdatedTime for each in Invoice.all(qb=qb, max_results=50)]
    assert changed == sorted(changed, reverse=True)
    names = [each.DisplayName for each in Customer.all(qb=qb, max_results=1000)]
    assert names == sorted(names, key=str.encode)


def test_a_page_says_how_many_it_holds(qb: QuickBooks) -> None:
    answer = qb.query("SELECT * FROM Bill ORDERBY Id STARTPOSITION 3 MAXRESULTS 5")["QueryResponse"]
    assert (answer["startPosition"], answer["maxResults"], answer["totalCount"]) == (3, 5, 5)
    assert "totalCount" not in qb.query("SELECT * FROM Purchase MAXRESULTS 5")["QueryResponse"]
    assert qb.query("SELECT * FROM Bill STARTPOSITION 1000000")["QueryResponse"] == {}


def test_conditions_on_days_amounts_and_times_agree_with_reading_everything(qb: QuickBooks) -> None:
    everything = all_of(Invoice, qb)
    for clause, test in [
        ("TxnDate >= '2026-06-01' AND TxnDate < '2026-07-01'", lambda i: "2026-06-01" <= i.TxnDate < "2026-07-01"),
        ("Balance > '0'", lambda i: i.Balance > 0),
        ("TotalAmt <= 2500.00", lambda i: i.TotalAmt <= 2500),
        ("DueDate < '2026-01-01' AND Balance = '0'", lambda i: i.DueDate < "2026-01-01" and i.Balance == 0),
    ]:
        expected = {each.Id for each in everything if test(each)}
        assert expected, clause
        assert {each.Id for each in Invoice.where(clause, max_results=1000, qb=qb)} == expected, clause
        assert Invoice.count(clause, qb=qb) == len(expected), clause
    middle = sorted(each.MetaData.CreateTime for each in everything)[len(everything) // 2]
    later = Invoice.count(f"MetaData.CreateTime >= '{middle}'", qb=qb)
    instant = datetime.fromisoformat(middle)
    assert later == sum(datetime.fromisoformat(each.MetaData.CreateTime) >= instant for each in everything)


def test_the_balances_of_the_books_tie_out(exact_qb: QuickBooks) -> None:
    payable = account(exact_qb, "Accounts Payable").CurrentBalance
    vendors = Vendor.where("Active IN (true, false)", max_results=1000, qb=exact_qb)
    assert sum(Decimal(str(each.Balance)) for each in vendors) == -payable
    receivable = account(exact_qb, "Accounts Receivable").CurrentBalance
    customers = Customer.where("Active IN (true, false)", max_results=1000, qb=exact_qb)
    assert sum(Decimal(str(each.Balance)) for each in customers) == receivable


def test_a_batch_creates_changes_and_deletes_and_every_item_stands_alone(qb: QuickBooks) -> None:
    vendors = []
    for name in (unused("Batch"), unused("Batch"), ""):
        vendor = Vendor()
        vendor.DisplayName = name
        vendors.append(vendor)
    made = batch_create(vendors, qb=qb)
    assert ([each.DisplayName for each in made.successes], len(made.faults)) == (
        [v.DisplayName for v in vendors[:2]],
        1,
    )
    assert made.faults[0].Error[0].code == "2020"
    assert made.faults[0].original_object is vendors[2]
    for vendor in made.successes:
        vendor.CompanyName = "Batch Inc."
    changed = batch_update(made.successes, qb=qb)
    assert [(each.CompanyName, each.SyncToken) for each in changed.successes] == [("Batch Inc.", "1")] * 2
    bills = [new_bill(qb, changed.successes[0], amount) for amount in (10, 20)]
    deleted = batch_delete(bills, qb=qb)
    assert ([each.status for each in deleted.successes], deleted.faults) == (["Deleted"] * 2, [])


def test_a_batch_of_more_than_thirty_is_split_by_the_client_and_carried_out(qb: QuickBooks) -> None:
    vendors = [Vendor() for _ in range(35)]
    for vendor in vendors:
        vendor.DisplayName = unused("Many")
    assert len(batch_create(vendors, qb=qb).successes) == 35


def test_a_batch_carries_queries(qb: QuickBooks) -> None:
    request = IntuitBatchRequest()
    for number, query in enumerate(("select * from Vendor maxresults 2", "select count(*) from Bill", "select x"), 1):
        item = BatchItemRequest()
        item.bId, item.Query = str(number), query
        del item.operation
        request.BatchItemRequest.append(item)
    answers = {each["bId"]: each for each in qb.batch_operation(request.to_json())["BatchItemResponse"]}
    assert len(answers["1"]["QueryResponse"]["Vendor"]) == 2
    assert answers["2"]["QueryResponse"] == {"totalCount": Bill.count(qb=qb)}
    assert answers["3"]["Fault"]["Error"][0]["code"] == "4000"


def test_change_data_tells_what_was_changed_and_what_is_gone(qb: QuickBooks, sandbox: Sandbox) -> None:
    vendor = new_vendor(qb)
    kept, gone = new_bill(qb, vendor, 50), new_bill(qb, vendor, 60)
    sandbox.control.post("/__sandbox__/clock", json={"advance_seconds": 5}).raise_for_status()
    since = qb_datetime_utc_offset_format(now(sandbox), "+00:00")
    new_bill_payment(qb, vendor, (kept, 20))
    gone.delete(qb=qb)
    changes = change_data_capture([Bill, BillPayment, Vendor, Account, Invoice], since, qb=qb)
    assert [(each.Id, getattr(each, "status", None)) for each in changes.Bill] == [
        (kept.Id, None),
        (gone.Id, "Deleted"),
    ]
    assert changes.Bill[0].Balance == 30
    assert [each.Line[0].LinkedTxn[0].TxnId for each in changes.BillPayment] == [kept.Id]
    assert vendor.Id in {each.Id for each in changes.Vendor}
    assert {"Bank", "Accounts Payable"} <= {each.AccountType for each in changes.Account}
    assert not hasattr(changes, "Invoice")


def test_change_data_of_the_future_is_empty(qb: QuickBooks, sandbox: Sandbox) -> None:
    tomorrow = qb_datetime_utc_offset_format(now(sandbox) + timedelta(days=1), "+00:00")
    assert qb.change_data_capture("Bill,Vendor", tomorrow)["CDCResponse"] == [{"QueryResponse": [{}, {}]}]


def test_the_reports_have_their_recorded_shape(qb: QuickBooks) -> None:
    ageing = qb.get_report("AgedPayables", {"report_date": "2026-11-20"})
    titles = [column["ColTitle"] for column in ageing["Columns"]["Column"]]
    assert titles == ["", "Current", "1 - 30", "31 - 60", "61 - 90", "91 and over", "Total"]
    total = ageing["Rows"]["Row"][-1]
    assert total["group"] == "GrandTotal"
    assert all("type" not in row for row in ageing["Rows"]["Row"][:-1])
    period = {"start_date": "2026-01-01", "end_date": "2026-10-31", "accounting_method": "Accrual"}
    for name, groups in [
        ("ProfitAndLoss", {"Income", "GrossProfit", "Expenses", "NetOperatingIncome", "NetIncome"}),
        ("BalanceSheet", {"TotalAssets", "TotalLiabilitiesAndEquity"}),
        ("CashFlow", {"OperatingActivities", "CashIncrease", "EndingCash"}),
    ]:
        report = qb.get_report(name, period)
        assert (report["Header"]["ReportName"], report["Header"]["EndPeriod"]) == (name, "2026-10-31")
        assert groups <= {row.get("group") for row in report["Rows"]["Row"]}
    assert qb.get_report("AgedReceivables")["Header"]["ReportName"] == "AgedReceivables"


def test_the_ageing_report_sums_to_the_payables_account(exact_qb: QuickBooks) -> None:
    last = exact_qb.get_report("AgedPayables", {"report_date": "2099-12-31"})["Rows"]["Row"][-1]["Summary"]["ColData"]
    assert Decimal(last[-1]["value"]) == -account(exact_qb, "Accounts Payable").CurrentBalance


def test_a_write_sent_twice_with_one_request_id_happens_once(qb: QuickBooks) -> None:
    vendor, twin = Vendor(), Vendor()
    vendor.DisplayName = twin.DisplayName = unused("Once")
    first = vendor.save(qb=qb, request_id="c0ffee-1")
    assert twin.save(qb=qb, request_id="c0ffee-1").Id == first.Id
    assert len(Vendor.filter(DisplayName=vendor.DisplayName, qb=qb)) == 1
