"""Writing over HTTP: create, full and sparse update, delete, void, and every documented refusal."""

from typing import Any

import pytest

from tests.qbo_sandbox.client import Company, exact


def line(company: Company, amount: float, **more: Any) -> dict[str, Any]:
    detail = {"AccountRef": {"value": expense_account(company)}}
    return {
        "Amount": amount,
        "DetailType": "AccountBasedExpenseLineDetail",
        "AccountBasedExpenseLineDetail": detail,
        **more,
    }


def expense_account(company: Company) -> str:
    return str(company.rows("select * from Account where AccountType = 'Expense' maxresults 1")[0]["Id"])


def bank_account(company: Company) -> str:
    return str(company.rows("select * from Account where AccountType = 'Bank' maxresults 1")[0]["Id"])


@pytest.fixture(scope="module")
def vendor(company: Company) -> str:
    return str(company.create("Vendor", {"DisplayName": "Written Vendor"})["Id"])


def bill(company: Company, vendor: str, amount: float = 100.0, **more: Any) -> dict[str, Any]:
    return company.create("Bill", {"VendorRef": {"value": vendor}, "Line": [line(company, amount)], **more})


def bill_payment(company: Company, vendor: str, bill_id: str, amount: float, **more: Any) -> dict[str, Any]:
    return {
        "VendorRef": {"value": vendor},
        "TotalAmt": amount,
        "PayType": "Check",
        "CheckPayment": {"BankAccountRef": {"value": bank_account(company)}},
        "Line": [{"Amount": amount, "LinkedTxn": [{"TxnId": bill_id, "TxnType": "Bill"}]}],
        **more,
    }


def refusal(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 400, answer.text
    fault = answer.json()["Fault"]
    assert fault["type"] == "ValidationFault"
    error: dict[str, Any] = fault["Error"][0]
    return error


def test_a_create_answers_200_with_the_whole_object(company: Company, vendor: str) -> None:
    answer = company.post("bill", {"VendorRef": {"value": vendor}, "Line": [line(company, 12.5)]})
    assert answer.status_code == 200
    body = exact(answer)["Bill"]
    assert (body["SyncToken"], body["domain"], body["sparse"]) == ("0", "QBO", False)
    assert body["Balance"] == body["TotalAmt"]
    assert body["VendorRef"]["name"] == "Written Vendor"
    assert company.rows(f"select * from Bill where Id = '{body['Id']}'") == [body]  # noqa: S608 - the QuickBooks query language


def test_what_clients_send_out_of_habit_is_accepted(company: Company, vendor: str) -> None:
    body = bill(company, vendor, 0.1 + 0.2, SyncToken=0, DocNumber="", sparse=False, TotalAmt=999, Balance=999)
    assert body["TotalAmt"] == body["Balance"] != 999
    assert "DocNumber" not in body
    dated = bill(company, vendor, TxnDate="2026-03-01T00:00:00Z")
    assert dated["TxnDate"] == "2026-03-01"


def test_paying_a_bill_over_http_has_every_recorded_effect(company: Company, vendor: str) -> None:
    made = bill(company, vendor, 100)
    bank = bank_account(company)
    before = exact(company.get(f"account/{bank}"))["Account"]
    payment = company.create("BillPayment", bill_payment(company, vendor, made["Id"], 40))
    assert payment["CheckPayment"]["PrintStatus"] == "NeedToPrint"
    assert "Id" not in payment["Line"][0]
    assert "APAccountRef" not in payment
    after = exact(company.get(f"account/{bank}"))["Account"]
    paid = exact(company.get(f"bill/{made['Id']}"))["Bill"]
    assert (paid["Balance"], paid["SyncToken"]) == (60, "1")
    assert paid["LinkedTxn"] == [{"TxnId": payment["Id"], "TxnType": "BillPaymentCheck"}]
    assert before["CurrentBalance"] - after["CurrentBalance"] == 40
    assert before["SyncToken"] == after["SyncToken"]


def test_a_full_update_clears_and_a_sparse_one_keeps(company: Company, vendor: str) -> None:
    made = bill(company, vendor, PrivateNote="kept?")
    sparse = company.create("Bill", {"Id": made["Id"], "SyncToken": "0", "sparse": True, "DueDate": "2027-01-01"})
    assert (sparse["PrivateNote"], sparse["sparse"], sparse["SyncToken"]) == ("kept?", False, "1")
    full = company.create(
        "Bill",
        {"Id": made["Id"], "SyncToken": "1", "VendorRef": {"value": vendor}, "Line": made["Line"]},
        operation="update",
    )
    assert "PrivateNote" not in full
    assert full["MetaData"]["CreateTime"] == made["MetaData"]["CreateTime"]


def test_an_object_read_can_be_sent_back_whole(company: Company, vendor: str) -> None:
    made = bill(company, vendor)
    company.create("BillPayment", bill_payment(company, vendor, made["Id"], 30))
    read = exact(company.get(f"bill/{made['Id']}"))["Bill"]
    again = company.create("Bill", read)
    unchanged = {key: value for key, value in again.items() if key not in ("SyncToken", "MetaData")}
    assert unchanged == {key: value for key, value in read.items() if key not in ("SyncToken", "MetaData")}


def test_a_stale_token_is_refused_with_the_recorded_words(company: Company, vendor: str) -> None:
    made = bill(company, vendor)
    company.create("BillPayment", bill_payment(company, vendor, made["Id"], 30))
    for params in ({}, {"operation": "delete"}):
        error = refusal(company.post("bill", {**made, "SyncToken": "0"}, **params))
        assert (error["code"], error["Message"]) == ("5010", "Stale Object Error")
        assert "were working on this at the same time" in error["Detail"]


def test_deleting_answers_a_stub_and_the_object_is_gone(company: Company, vendor: str) -> None:
    made = bill(company, vendor)
    answer = company.post("bill", {"Id": made["Id"], "SyncToken": "0"}, operation="delete")
    assert exact(answer)["Bill"] == {"domain": "QBO", "status": "Deleted", "Id": made["Id"]}
    assert refusal(company.get(f"bill/{made['Id']}"))["code"] == "610"
    assert refusal(company.post("bill", {"Id": made["Id"], "SyncToken": "0"}, operation="delete"))["code"] == "610"


def test_a_bill_payment_is_voided_by_an_update_that_includes_void(company: Company, vendor: str) -> None:
    made = bill(company, vendor)
    payment = company.create("BillPayment", bill_payment(company, vendor, made["Id"], 100))
    voided = company.create(
        "BillPayment",
        {"Id": payment["Id"], "SyncToken": "0", "sparse": True},
        operation="update",
        include="void",
    )
    assert (voided["TotalAmt"], voided["Line"], voided["PrivateNote"], voided["SyncToken"]) == (0, [], "Voided", "1")
    assert exact(company.get(f"bill/{made['Id']}"))["Bill"]["Balance"] == 100


def test_a_bill_cannot_be_voided(company: Company, vendor: str) -> None:
    made = bill(company, vendor)
    error = refusal(company.post("bill", {"Id": made["Id"], "SyncToken": "0"}, operation="void"))
    assert error["code"] == "500"


def test_sparse_updates_of_bill_payments_can_be_refused(company: Company, vendor: str) -> None:
    made = bill(company, vendor)
    payment = company.create("BillPayment", bill_payment(company, vendor, made["Id"], 10))
    change = {"Id": payment["Id"], "SyncToken": "0", "sparse": True, "PrivateNote": "x"}
    company.settings(bill_payment_sparse_update=False)
    assert refusal(company.post("billpayment", change))["code"] == "500"
    company.settings(bill_payment_sparse_update=True)
    assert company.create("BillPayment", change)["PrivateNote"] == "x"


def test_a_line_above_the_open_balance_is_refused_or_capped(company: Company, vendor: str) -> None:
    made = bill(company, vendor, 100)
    over = bill_payment(company, vendor, made["Id"], 150)
    assert refusal(company.post("billpayment", over))["code"] == "6000"
    company.settings(overpaying_line="cap")
    paid = company.create("BillPayment", over)
    assert (paid["TotalAmt"], paid["Line"][0]["Amount"]) == (150, 100)
    company.settings(overpaying_line="refuse")
    company.post("billpayment", {"Id": paid["Id"], "SyncToken": "0"}, operation="delete")


def test_a_vendor_with_an_open_balance_stays_active(company: Company) -> None:
    made = company.create("Vendor", {"DisplayName": "Owed Vendor"})
    owed = bill(company, made["Id"])
    change = {"Id": made["Id"], "SyncToken": "0", "sparse": True, "Active": False}
    assert refusal(company.post("vendor", change))["code"] == "6220"
    company.post("bill", {"Id": owed["Id"], "SyncToken": "0"}, operation="delete")
    assert company.create("Vendor", change)["DisplayName"] == "Owed Vendor (deleted)"
    error = refusal(company.post("bill", {"VendorRef": {"value": made["Id"]}, "Line": [line(company, 1)]}))
    assert error["code"] == "2500"


def test_duplicate_numbers_are_accepted_or_refused(company: Company, vendor: str) -> None:
    bill(company, vendor, DocNumber="D-1")
    bill(company, vendor, DocNumber="D-1")
    company.settings(duplicate_doc_number="refuse")
    again = {"VendorRef": {"value": vendor}, "DocNumber": "D-1", "Line": [line(company, 1)]}
    assert refusal(company.post("bill", again))["code"] == "6140"
    assert company.post("bill", again, include="allowduplicatedocnum").status_code == 200
    company.settings(duplicate_doc_number="accept")


def test_closed_books_take_no_entries(company: Company, vendor: str) -> None:
    preferences = exact(company.get("preferences"))["Preferences"]
    closing = {**preferences["AccountingInfoPrefs"], "BookCloseDate": "2026-01-31"}
    change = {"Id": "1", "sparse": True, "AccountingInfoPrefs": closing}
    company.create("Preferences", {**change, "SyncToken": preferences["SyncToken"]})
    early = {"VendorRef": {"value": vendor}, "TxnDate": "2026-01-31", "Line": [line(company, 1)]}
    assert refusal(company.post("bill", early))["code"] == "6210"
    assert company.post("bill", {**early, "TxnDate": "2026-02-01"}).status_code == 200
    token = exact(company.get("preferences"))["Preferences"]["SyncToken"]
    reopened = {**change, "AccountingInfoPrefs": preferences["AccountingInfoPrefs"], "SyncToken": token}
    company.create("Preferences", reopened)


@pytest.mark.parametrize(
    ("changed", "code", "element"),
    [
        pytest.param({"Colour": "red"}, "2010", "Colour", id="unknown property"),
        pytest.param({"VendorRef": None}, "2020", "VendorRef", id="no vendor"),
        pytest.param({"VendorRef": {"value": "99999"}}, "2500", "VendorRef", id="unknown vendor"),
        pytest.param({"Line": []}, "2250", "Line", id="no lines"),
        pytest.param({"DocNumber": "x" * 22}, "2050", "DocNumber", id="long number"),
        pytest.param({"PrivateNote": "x" * 4001}, "2050", "PrivateNote", id="long note"),
        pytest.param({"TxnDate": "yesterday"}, "2070", "TxnDate", id="no date"),
        pytest.param({"Line": [{"Amount": "many", "DetailType": "DescriptionOnly"}]}, "2090", "Amount", id="no number"),
        pytest.param({"Line": [{"Amount": 1, "Colour": "red"}]}, "2010", "Colour", id="unknown property of a line"),
        pytest.param({"Line": [{"Amount": 1}]}, "2020", "DetailType", id="line without detail"),
        pytest.param({"CurrencyRef": {"value": "EUR"}}, "5030", None, id="foreign currency"),
        pytest.param({"APAccountRef": "bank"}, "6430", "APAccountRef", id="wrong account type"),
        pytest.param({"Line": "by item"}, "6070", "Amount", id="amount is not quantity times price"),
    ],
)
def test_refusals_of_a_bill(
    company: Company, vendor: str, changed: dict[str, Any], code: str, element: str | None
) -> None:
    body: dict[str, Any] = {"VendorRef": {"value": vendor}, "Line": [line(company, 10)], **changed}
    if body.get("APAccountRef") == "bank":
        body["APAccountRef"] = {"value": bank_account(company)}
    if body["Line"] == "by item":
        item = company.rows("select * from Item maxresults 1")[0]["Id"]
        detail = {"ItemRef": {"value": item}, "Qty": 2, "UnitPrice": 3}
        kind = "ItemBasedExpenseLineDetail"
        body["Line"] = [{"Amount": 7, "DetailType": kind, kind: detail}]
    error = refusal(company.post("bill", {key: value for key, value in body.items() if value is not None}))
    assert error["code"] == code
    assert error.get("element") == element


def test_an_unknown_property_is_named_among_the_known(company: Company) -> None:
    detail = refusal(company.post("vendor", {"DisplayName": "X", "Colour": "red"}))["Detail"]
    assert detail.startswith(
        'Property Name:Unrecognized field "Colour" (class com.intuit.schema.finance.v3.Vendor), not marked as ignorable ('
    )


def test_a_bill_payment_without_total_must_set_an_amount(company: Company, vendor: str) -> None:
    made = bill(company, vendor)
    body = bill_payment(company, vendor, made["Id"], 10)
    del body["TotalAmt"]
    error = refusal(company.post("billpayment", body))
    assert error["code"] == "6000"
    assert "You must set a transaction amount" in error["Detail"]


def test_a_body_that_is_no_json_object_is_refused(company: Company) -> None:
    for body in ("{", "[]", '{"DisplayName": NaN}'):
        assert refusal(company.post("vendor", body))["code"] == "2010"


def test_names_are_unique_and_lists_cannot_be_deleted(company: Company, vendor: str) -> None:
    assert refusal(company.post("customer", {"DisplayName": "written VENDOR"}))["code"] == "6240"
    read = exact(company.get(f"vendor/{vendor}"))["Vendor"]
    error = refusal(company.post("vendor", {"Id": vendor, "SyncToken": read["SyncToken"]}, operation="delete"))
    assert error["code"] == "500"


def test_requests_with_bad_ids(company: Company) -> None:
    assert refusal(company.post("bill", {"Id": "1.5", "SyncToken": "0"}))["code"] == "2030"
    assert refusal(company.post("bill", {"Id": "999999", "SyncToken": "0"}))["code"] == "610"
    assert refusal(company.post("bill", {"Id": "1"}, operation="delete"))["element"] == "SyncToken"
    assert refusal(company.post("frobnicate", {}))["code"] == "500"


# -- request ids


def payments_of(company: Company, made: dict[str, Any]) -> int:
    return len(exact(company.get(f"bill/{made['Id']}"))["Bill"]["LinkedTxn"])


def pay_twice(company: Company, vendor: str, request_id: str, **settings: Any) -> tuple[Any, Any, int]:
    """The same payment sent twice under one request id: both answers, and how many payments the bill then has."""
    made = bill(company, vendor)
    company.settings(**settings)
    body = bill_payment(company, vendor, made["Id"], 10)
    answers = [company.post("billpayment", body, requestid=request_id) for _ in range(2)]
    company.settings(request_ids="honoured", request_id_seconds=2_592_000)
    return answers[0], answers[1], payments_of(company, made)


def test_a_repeated_request_id_gets_the_first_answer_and_no_second_effect(company: Company, vendor: str) -> None:
    first, second, count = pay_twice(company, vendor, "pay-1")
    assert first.text == second.text
    assert count == 1


@pytest.mark.parametrize("personality", ["forgotten", "ignored"])
def test_a_company_can_take_no_notice_of_request_ids(company: Company, vendor: str, personality: str) -> None:
    first, second, count = pay_twice(company, vendor, f"pay-{personality}", request_ids=personality)
    assert first.status_code == second.status_code == 200
    assert count == 2


@pytest.mark.parametrize("code", ["600", "6000"])
def test_a_company_can_refuse_a_repeated_request_id(company: Company, vendor: str, code: str) -> None:
    _, second, count = pay_twice(company, vendor, f"pay-{code}", request_ids=f"answers_{code}")
    assert refusal(second)["code"] == code
    assert count == 1


def test_a_request_id_can_be_forgotten_after_a_while(company: Company, vendor: str) -> None:
    _, second, count = pay_twice(company, vendor, "pay-old", request_id_seconds=0)
    assert second.status_code == 200
    assert count == 2


def test_the_same_id_with_another_body_is_replayed_or_refused(company: Company, vendor: str) -> None:
    made = bill(company, vendor)
    first = company.post("billpayment", bill_payment(company, vendor, made["Id"], 10), requestid="pay-other")
    other = bill_payment(company, vendor, made["Id"], 11)
    assert company.post("billpayment", other, requestid="pay-other").text == first.text
    company.settings(request_id_other_body="answers_600")
    assert refusal(company.post("billpayment", other, requestid="pay-other"))["code"] == "600"
    company.settings(request_id_other_body="replay")


def test_a_request_id_has_at_most_fifty_characters(company: Company) -> None:
    assert refusal(company.post("term", {"Name": "x"}, requestid="r" * 51))["code"] == "2130"


def test_a_refused_first_answer_is_repeated_too(company: Company) -> None:
    first = company.post("vendor", {}, requestid="refused-1")
    second = company.post("vendor", {"DisplayName": "Now complete"}, requestid="refused-1")
    assert first.status_code == second.status_code == 400
    assert first.text == second.text
