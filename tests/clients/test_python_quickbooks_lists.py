"""python-quickbooks keeps name lists: create, read, find, change, make inactive."""

from decimal import Decimal

import pytest
from quickbooks import QuickBooks
from quickbooks.objects import Account, Address, CompanyInfo, Customer, EmailAddress, Item, PhoneNumber, Term, Vendor
from quickbooks.objects.preferences import Preferences

from tests.clients.books import account, new_customer, new_item, new_vendor, unused

pytestmark = pytest.mark.clients


def test_a_customer_comes_back_as_it_was_sent_and_without_what_was_left_empty(qb: QuickBooks) -> None:
    address, phone, mail = Address(), PhoneNumber(), EmailAddress()
    address.Line1, address.City, address.PostalCode = "1 Quay Street", "Albany", "12207"
    phone.FreeFormNumber, mail.Address = "(518) 555-0100", "books@example.com"
    made = new_customer(qb, GivenName="Ana", BillAddr=address, PrimaryPhone=phone, PrimaryEmailAddr=mail)
    read = Customer.get(made.Id, qb=qb)
    assert (read.GivenName, str(read.PrimaryEmailAddr), str(read.PrimaryPhone)) == (
        "Ana",
        "books@example.com",
        "(518) 555-0100",
    )
    assert (read.BillAddr.City, read.SyncToken, read.Balance, read.Active) == ("Albany", "0", 0, True)
    assert read.FullyQualifiedName == read.PrintOnCheckName == read.DisplayName == made.DisplayName
    sent_empty = {"Title", "MiddleName", "Suffix", "Notes", "ResaleNum", "OpenBalanceDate", "PrimaryTaxIdentifier"}
    raw = qb.get_single_object("Customer", made.Id)["Customer"]
    assert not sent_empty & raw.keys()
    assert "Line2" not in raw["BillAddr"]


def test_every_entity_of_the_lists_can_be_read_whole(qb: QuickBooks) -> None:
    for entity in (Account, Customer, Item, Term, Vendor):
        found = entity.all(qb=qb, max_results=1000)
        assert len(found) == entity.count(qb=qb) > 0, entity
        assert {type(each) for each in found} == {entity}


def test_an_item_shows_its_price_in_cents_and_its_stock_number(qb: QuickBooks) -> None:
    made = new_item(qb, UnitPrice=99.5, Sku="H-1", Description="By the hour")
    read = next(item for item in Item.all(qb=qb, max_results=1000) if item.Id == made.Id)
    assert (read.UnitPrice, read.Sku, read.Description) == (99.5, "H-1", "By the hour")
    assert read.IncomeAccountRef.name == account(qb, "Income").FullyQualifiedName


def test_numbers_sent_as_text_come_back_as_numbers(exact_qb: QuickBooks) -> None:
    made = new_item(exact_qb, UnitPrice=Decimal("99.50"))
    assert Decimal(str(made.UnitPrice)) == Decimal("99.5")
    assert not isinstance(made.UnitPrice, str)


def test_an_account_gets_its_classification_and_its_place_under_a_parent(qb: QuickBooks) -> None:
    parent, child = Account(), Account()
    parent.Name, parent.AccountType, parent.AccountSubType = unused("Reserves"), "Bank", "Savings"
    parent = parent.save(qb=qb)
    assert (parent.Classification, parent.CurrentBalance) == ("Asset", 0)
    child.Name, child.AccountType, child.SubAccount, child.ParentRef = "Taxes", "Bank", True, parent.to_ref()
    child = child.save(qb=qb)
    assert child.FullyQualifiedName == f"{parent.Name}:Taxes"
    assert child.SubAccount is True


def test_a_full_update_clears_what_a_sparse_update_keeps(qb: QuickBooks) -> None:
    vendor = new_vendor(qb, CompanyName="Paper Mill Inc.", AcctNum="77-1")
    vendor.sparse = True
    vendor.CompanyName = "Paper Mill LLC"
    del vendor.AcctNum
    sparse = vendor.save(qb=qb)
    assert (sparse.CompanyName, sparse.AcctNum, sparse.SyncToken) == ("Paper Mill LLC", "77-1", "1")
    sparse.sparse = False
    del sparse.AcctNum
    full = sparse.save(qb=qb)
    raw = qb.get_single_object("Vendor", full.Id)["Vendor"]
    assert "AcctNum" not in raw
    assert (raw["CompanyName"], raw["SyncToken"]) == ("Paper Mill LLC", "2")


def test_an_empty_text_in_a_sparse_update_clears_the_property(qb: QuickBooks) -> None:
    vendor = new_vendor(qb, CompanyName="Paper Mill Inc.", AcctNum="77-1")
    vendor.sparse, vendor.AcctNum = True, ""
    vendor.save(qb=qb)
    raw = qb.get_single_object("Vendor", vendor.Id)["Vendor"]
    assert "AcctNum" not in raw
    assert raw["CompanyName"] == "Paper Mill Inc."


def test_an_inactive_vendor_is_found_only_when_asked_for(qb: QuickBooks) -> None:
    vendor = new_vendor(qb)
    name, before = vendor.DisplayName, Vendor.count(qb=qb)
    vendor.Active = False
    inactive = vendor.save(qb=qb)
    assert inactive.DisplayName == f"{name} (deleted)"
    assert Vendor.count(qb=qb) == before - 1
    assert Vendor.choose([vendor.Id], qb=qb) == []
    both = Vendor.where("Active IN (true, false)", max_results=1000, qb=qb)
    assert vendor.Id in {each.Id for each in both}
    assert vendor.Id in {each.Id for each in Vendor.filter(Active=False, qb=qb)}
    inactive.Active, inactive.DisplayName = True, name
    assert inactive.save(qb=qb).DisplayName == name


def test_names_with_quotes_and_signs_are_found(qb: QuickBooks) -> None:
    names = [unused("Adam's Candy Shop"), unused("R&D 100% \\ Ünïcode + Søn")]
    made = [new_vendor(qb, DisplayName=name) for name in names]
    assert [Vendor.filter(DisplayName=names[0], qb=qb)[0].Id] == [made[0].Id]
    assert made[1].Id in {each.Id for each in Vendor.where("DisplayName LIKE 'R&D 100%'", qb=qb)}
    assert len(Vendor.choose(names[:1], field="DisplayName", qb=qb)) == 1


def test_lists_can_be_paged_in_an_explicit_order(qb: QuickBooks) -> None:
    total = Account.count(qb=qb)
    pages = [Account.all(order_by="Id", start_position=start, max_results=7, qb=qb) for start in range(1, total + 8, 7)]
    ids = [each.Id for page in pages for each in page]
    assert len(ids) == len(set(ids)) == total
    assert [len(page) for page in pages[:-1]][:2] == [7, 7]
    assert Account.all(start_position=total + 1, qb=qb) == []


def test_the_company_and_its_preferences_are_read(qb: QuickBooks, realm: str) -> None:
    info = CompanyInfo.get(realm, qb=qb)
    assert (info.Id, info.CompanyName, info.Country) == ("1", "Alder Agency", "US")
    assert info.to_dict()["DefaultTimeZone"] == "America/New_York"
    assert [each.CompanyName for each in CompanyInfo.all(qb=qb)] == ["Alder Agency"]
    preferences = Preferences.get(qb=qb).to_dict()
    assert preferences["CurrencyPrefs"]["HomeCurrency"]["value"] == "USD"
    assert preferences["ReportPrefs"]["ReportBasis"] == "Accrual"


def test_the_preferences_can_be_changed(qb: QuickBooks) -> None:
    raw = qb.query("SELECT * FROM Preferences")["QueryResponse"]["Preferences"][0]
    preferences = Preferences.from_json(raw)
    preferences.SalesFormsPrefs.DefaultCustomerMessage = "Thank you"
    saved = preferences.save(qb=qb)
    assert saved.SalesFormsPrefs.DefaultCustomerMessage == "Thank you"
    assert int(saved.SyncToken) == int(raw["SyncToken"]) + 1
