from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.qbo.completing import with_rates
from resources.qbo.frames import accounts, applications, documents, parties, terms
from resources.qbo.home_currency import NotConvertible, cents, home_currency
from tests.resources.qbo.builders import KNOWN_AT, D, deleted, ref, settles, version

_LATER = KNOWN_AT + timedelta(days=7)


def _types(frame: pd.DataFrame) -> dict[str, str]:
    return {str(name): str(kind) for name, kind in frame.dtypes.items()}


_COMMON = {
    "qbo_id": "str",
    "known_at": "datetime64[us, UTC]",
    "created_at": "datetime64[us, UTC]",
    "is_deleted": "bool",
}
_DOCUMENTS = {
    **_COMMON,
    "txn_type": "str",
    "party_id": "str",
    "party_name": "str",
    "doc_number": "str",
    "txn_date": "datetime64[us]",
    "due_date": "datetime64[us]",
    "term_id": "str",
    "currency": "str",
    "total_cents": "int64",
    "open_cents": "int64",
}


@pytest.mark.parametrize(
    ("amount", "rate", "expected"),
    [
        ("0.30000000000000004", "1", 30),
        ("2.675", "1", 268),
        ("-2.675", "1", -268),
        ("100.00", "1.08335", 10834),
        ("0.01", "0.5", 1),
        ("-0.01", "0.5", -1),
        ("0.01", "0.49", 0),
        ("9999999999999.99", "1", 999999999999999),
        ("1E-9999", "1", 0),
    ],
)
def test_half_a_cent_is_rounded_away_from_zero(amount: str, rate: str, expected: int) -> None:
    assert cents(D(amount), rate=D(rate)) == expected


@given(st.decimals(-(10**12), 10**12, places=2))
def test_whole_cents_are_never_changed(amount: Decimal) -> None:
    assert Decimal(cents(amount)) == amount * 100


@pytest.mark.parametrize("versions", [[], [version("Bill")], [deleted("Bill")]], ids=["none", "one", "deleted"])
def test_columns_have_their_types_whatever_is_in_them(versions: list[object]) -> None:
    assert _types(documents(versions, home_currency="USD")) == _DOCUMENTS  # type: ignore[arg-type]  # pairs of a builder


def test_a_bill_becomes_a_document() -> None:
    row = documents([version("Bill")], home_currency="USD").iloc[0]
    assert row.to_dict() == {
        "qbo_id": "145",
        "known_at": pd.Timestamp(KNOWN_AT),
        "created_at": pd.Timestamp("2026-05-05T10:14:55Z"),
        "is_deleted": False,
        "txn_type": "Bill",
        "party_id": "56",
        "party_name": "Norton Lumber",
        "doc_number": "A-17",
        "txn_date": pd.Timestamp("2026-05-01"),
        "due_date": pd.Timestamp("2026-05-31"),
        "term_id": "3",
        "currency": "USD",
        "total_cents": 100_00,
        "open_cents": 40_00,
    }


@pytest.mark.parametrize(
    ("entity", "overrides", "total", "open_cents"),
    [
        pytest.param("Invoice", {}, 100_00, 100_00, id="invoice"),
        pytest.param("VendorCredit", {}, 25_00, -25_00, id="vendor credit"),
        pytest.param("CreditMemo", {}, 100_00, -30_00, id="credit memo"),
        pytest.param("Payment", {"UnappliedAmt": D("12.50")}, 100_00, -12_50, id="unapplied money"),
        pytest.param("BillPayment", {}, 60_00, 0, id="bill payment"),
        pytest.param("BillPayment", {"TotalAmt": D("75.00")}, 75_00, -15_00, id="overpaid"),
        pytest.param("BillPayment", {"Line": []}, 60_00, -60_00, id="on account"),
        pytest.param(
            "BillPayment",
            {"TotalAmt": D("35.00"), "Line": [settles("Bill", "1", D("60.00")), settles("VendorCredit", "2", D("25"))]},
            35_00,
            0,
            id="less a credit",
        ),
        pytest.param(
            "BillPayment",
            {"TotalAmt": 0, "Line": [settles("Bill", "1", D("25")), settles("VendorCredit", "2", D("25"))]},
            0,
            0,
            id="a credit alone",
        ),
        pytest.param("BillPayment", {"TotalAmt": 0, "Line": [], "CheckPayment": ...}, 0, 0, id="voided"),
        pytest.param(
            "Bill",
            {"CurrencyRef": ref("EUR"), "ExchangeRate": D("1.08335"), "Balance": D("0.01")},
            108_34,
            1,
            id="foreign",
        ),
    ],
)
def test_what_is_open_has_the_sign_of_its_side(entity: str, overrides: dict, total: int, open_cents: int) -> None:  # type: ignore[type-arg]  # any override
    row = documents([version(entity, **overrides)], home_currency="USD").iloc[0]
    assert (row["total_cents"], row["open_cents"]) == (total, open_cents)


def test_a_foreign_amount_without_a_rate_is_no_figure() -> None:
    with pytest.raises(NotConvertible, match="Bill 145"):
        documents([version("Bill", CurrencyRef=ref("EUR"))], home_currency="USD")


def _cents_of_bills(*versions: Any) -> list[int]:
    return list(documents(with_rates(versions, home_currency="USD"), home_currency="USD")["total_cents"])


_FOREIGN = version("Bill", CurrencyRef=ref("EUR"))
_SAVED = version("Bill", known_at=_LATER, CurrencyRef=ref("EUR"), ExchangeRate=D("1.10"), TotalAmt=D("200.00"))
_LAST = _LATER + timedelta(days=7)


@pytest.mark.parametrize(
    ("versions", "expected"),
    [
        pytest.param([_FOREIGN, _SAVED], [110_00, 220_00], id="saved in QuickBooks, which filled in the rate"),
        pytest.param(
            [_FOREIGN, version("Bill", known_at=_LATER, CurrencyRef=ref("EUR")), (_LAST, _SAVED[1])],
            [110_00, 110_00, 220_00],
            id="only the third has one",
        ),
        pytest.param([_FOREIGN, _SAVED, deleted("Bill", known_at=_LAST)], [110_00, 220_00, 0], id="deleted afterwards"),
        pytest.param([_FOREIGN, deleted("Bill", known_at=_LATER)], [0], id="deleted and never had one"),
        pytest.param([_FOREIGN, version("Bill", known_at=_LATER)], [100_00], id="in home currency by now"),
        pytest.param([_FOREIGN, version("Bill", "7", known_at=_LATER)], None, id="another bill has none to give"),
        pytest.param(
            [(KNOWN_AT, _SAVED[1]), version("Bill", known_at=_LATER, CurrencyRef=ref("EUR"))],
            None,
            id="the newest lost its rate",
        ),
    ],
)
def test_a_version_without_a_rate_takes_that_of_the_next_and_only_the_newest_stops_anything(
    versions: list[Any], expected: list[int] | None
) -> None:
    """Versions are kept for ever: one without a rate had stopped every later digest, whatever was mended in QuickBooks."""
    if expected is None:
        with pytest.raises(NotConvertible, match="Bill 145"):
            _cents_of_bills(*versions)
    else:
        assert _cents_of_bills(*versions) == expected


def test_a_deletion_keeps_its_keys_and_the_time_of_entry_and_loses_its_money() -> None:
    frame = documents([version("Bill"), deleted("Bill", known_at=_LATER)], home_currency="USD")
    gone = frame.iloc[1]
    assert gone["is_deleted"]
    assert (gone["txn_type"], gone["qbo_id"], gone["total_cents"], gone["open_cents"]) == ("Bill", "145", 0, 0)
    assert gone["created_at"] == frame.iloc[0]["created_at"]
    assert gone["known_at"] == pd.Timestamp(_LATER)


def test_a_deletion_of_something_never_seen_has_no_time_of_entry() -> None:
    assert documents([deleted("Bill")], home_currency="USD")["created_at"].isna().all()


def test_versions_that_do_not_come_oldest_first_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="oldest first"):
        documents([version("Bill", known_at=_LATER), version("Bill")], home_currency="USD")


def test_objects_of_other_kinds_are_left_alone() -> None:
    others = [version("Account"), version("Term"), version("Transfer"), deleted("Purchase")]
    assert documents(others, home_currency="USD").empty
    assert applications(others, home_currency="USD").empty
    assert parties(others).empty


def test_a_zero_payment_applies_a_credit_memo_with_two_positive_amounts() -> None:
    """Recorded: QBO links a credit to an invoice by a payment of 0 whose two lines are both positive."""
    lines = [settles("Invoice", "130", D("100.00")), settles("CreditMemo", "131", D("100.00"))]
    frame = applications([version("Payment", TotalAmt=0, Line=lines)], home_currency="USD")
    assert list(zip(frame["target_type"], frame["target_id"], frame["amount_cents"], strict=True)) == [
        ("Invoice", "130", 100_00),
        ("CreditMemo", "131", 100_00),
    ]


def test_a_payment_that_no_longer_applies_anything_replaces_what_it_applied() -> None:
    versions = [version("Payment"), version("Payment", known_at=_LATER, Line=[]), deleted("BillPayment")]
    frame = applications(versions, home_currency="USD")
    assert list(
        zip(frame["txn_type"], frame["target_id"], frame["amount_cents"], frame["is_deleted"], strict=True)
    ) == [
        ("Payment", "130", 100_00, False),
        ("Payment", "", 0, False),
        ("BillPayment", "", 0, True),
    ]


def test_accounts_parties_and_terms_say_what_the_calculators_ask() -> None:
    account = accounts([version("Account", CurrentBalance=D("-157.72"))], home_currency="USD").iloc[0]
    assert (account["account_type"], account["currency"], account["current_balance_cents"]) == ("Bank", "USD", -157_72)
    expense = accounts([version("Account", AccountType="Expense", CurrentBalance=...)], home_currency="USD").iloc[0]
    assert expense["current_balance_cents"] == 0
    people = parties([version("Vendor"), version("Customer", SalesTermRef=ref("4")), deleted("Vendor", "9")])
    assert list(people["party_type"]) == ["Vendor", "Customer", "Vendor"]
    assert list(people["term_id"]) == ["3", "4", ""]
    assert list(people["balance_cents"]) == [0, 239_00, 0]
    agreed = terms([version("Term"), version("Term", "2", DueDays=..., DiscountPercent=..., DiscountDays=...)])
    assert list(agreed["due_days"]) == [30, -1]
    assert list(agreed["discount_percent"]) == ["2", ""]
    assert list(agreed["discount_days"]) == [10, -1]


def test_the_home_currency_is_that_of_the_newest_preferences() -> None:
    euro = {"CurrencyPrefs": {"HomeCurrency": ref("EUR")}}
    assert home_currency([version("Preferences", known_at=_LATER, **euro), version("Preferences")]) == "EUR"
    with pytest.raises(NotConvertible):
        home_currency([version("Preferences", CurrencyPrefs=...)])
    with pytest.raises(NotConvertible):
        home_currency([version("Bill")])


@given(
    st.lists(st.sampled_from(["Bill", "Invoice", "Payment", "BillPayment", "CreditMemo"]), max_size=12), st.randoms()
)
def test_the_order_of_different_objects_changes_no_row(kinds: list[str], shuffle: object) -> None:
    versions = [
        version(kind, str(number), known_at=datetime(2026, 11, number + 1, tzinfo=UTC))
        for number, kind in enumerate(kinds)
    ]
    mixed = list(versions)
    shuffle.shuffle(mixed)  # type: ignore[attr-defined]  # hypothesis types it as object
    ordered = documents(versions, home_currency="USD")
    pd.testing.assert_frame_equal(
        ordered, documents(mixed, home_currency="USD").sort_values("known_at", ignore_index=True)
    )
