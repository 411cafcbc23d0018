"""Which properties each entity has: what may be sent, what must be sent, what a query may filter or sort by.

Belongs here: names. Does not: shapes and defaults (``forms.py``, ``lists.py``), how a request is checked
(``writes.py``).
"""

from qbo_sandbox.entities import ENTITIES, SALES_FORMS, TRANSACTIONS

# Every object of the schema has these; clients send back what they read.
_EVERY_OBJECT = "Id SyncToken MetaData domain sparse status CustomField CustomExtensions AttachableRef"
_EVERY_TRANSACTION = (
    "Balance CurrencyRef DepartmentRef DocNumber ExchangeRate GlobalTaxCalculation HomeBalance HomeTotalAmt Line "
    "LinkedTxn PrivateNote ProjectRef RecurDataRef Tag TotalAmt TransactionLocationType TxnDate TxnSource TxnStatus "
    "TxnTaxDetail"
)
_EVERY_SALES_FORM = (
    "ARAccountRef ApplyTaxAfterDiscount AutoDocNumber BillAddr BillEmail BillEmailBcc BillEmailCc CheckPayment ClassRef "
    "CreditCardPayment CustomerMemo CustomerRef DeliveryInfo DepositToAccountRef DueDate EmailStatus FreeFormAddress "
    "PaymentMethodRef PaymentRefNum PrintStatus SalesTermRef ShipAddr ShipDate ShipFromAddr ShipMethodRef TemplateRef "
    "TrackingNum"
)


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_OWN: dict[str, frozenset[str]] = {
    "CompanyInfo": _names(
        "CompanyAddr CompanyName CompanyStartDate Country CustomerCommunicationAddr DefaultTimeZone Email EmployerId "
        "FiscalYearStartMonth LegalAddr LegalName NameValue PrimaryPhone SupportedLanguages WebAddr"
    ),
    "Preferences": _names(
        "AccountingInfoPrefs CurrencyPrefs EmailMessagesPrefs OtherPrefs ProductAndServicesPrefs ReportPrefs "
        "SalesFormsPrefs TaxPrefs TimeTrackingPrefs VendorAndPurchasesPrefs"
    ),
    "Account": _names(
        "AccountAlias AccountSubType AccountType AcctNum Active Classification CurrencyRef CurrentBalance "
        "CurrentBalanceWithSubAccounts Description FullyQualifiedName Name ParentRef SubAccount TaxCodeRef "
        "TxnLocationType"
    ),
    "Vendor": _names(
        "APAccountRef AcctNum Active AlternatePhone Balance BillAddr BillRate BusinessNumber CompanyName CostRate "
        "CurrencyRef DisplayName FamilyName Fax GSTIN GSTRegistrationType GivenName HasTPAR MiddleName Mobile "
        "OtherContactInfo PrimaryEmailAddr PrimaryPhone PrintOnCheckName Source Suffix T4AEligible T5018Eligible "
        "TaxIdentifier TaxReportingBasis TermRef Title V4IDPseudonym Vendor1099 VendorPaymentBankDetail WebAddr"
    ),
    "Customer": _names(
        "ARAccountRef Active AlternatePhone Balance BalanceWithJobs BillAddr BillWithParent BusinessNumber "
        "ClientEntityId CompanyName CurrencyRef CustomerTypeRef DefaultTaxCodeRef DisplayName FamilyName Fax "
        "FullyQualifiedName GSTIN GSTRegistrationType GivenName IsProject Job Level MiddleName Mobile Notes "
        "OpenBalanceDate ParentRef PaymentMethodRef PreferredDeliveryMethod PrimaryEmailAddr PrimaryPhone "
        "PrimaryTaxIdentifier PrintOnCheckName ResaleNum SalesTermRef SecondaryTaxIdentifier ShipAddr Source Suffix "
        "TaxExemptionReasonId Taxable Title V4IDPseudonym WebAddr"
    ),
    "Item": _names(
        "AbatementRate Active AssetAccountRef ClassRef DeferredRevenue Description ExpenseAccountRef FullyQualifiedName "
        "IncomeAccountRef InvStartDate ItemCategoryType Level Name ParentRef PrefVendorRef PurchaseCost PurchaseDesc "
        "PurchaseTaxCodeRef PurchaseTaxIncluded QtyOnHand ReorderPoint ReverseChargeRate SalesTaxCodeRef "
        "SalesTaxIncluded ServiceType Sku Source SubItem TaxClassificationRef Taxable TrackQtyOnHand Type "
        "UQCDisplayText UQCId UnitPrice"
    ),
    "Term": _names(
        "Active DayOfMonthDue DiscountDayOfMonth DiscountDays DiscountPercent DueDays DueNextMonthDays Name Type"
    ),
    "Bill": _names(
        "APAccountRef Balance CurrencyRef DepartmentRef DocNumber DueDate ExchangeRate GlobalTaxCalculation HomeBalance "
        "IncludeInAnnualTPAR Line LinkedTxn PrivateNote RecurDataRef SalesTermRef TotalAmt TransactionLocationType "
        "TxnDate TxnTaxDetail VendorAddr VendorRef"
    ),
    "BillPayment": _names(
        "APAccountRef CheckPayment CreditCardPayment CurrencyRef DepartmentRef DocNumber ExchangeRate Line PayType "
        "PrivateNote ProcessBillPayment TotalAmt TransactionLocationType TxnDate VendorRef"
    ),
    "VendorCredit": _names(
        "APAccountRef Balance CurrencyRef DepartmentRef DocNumber ExchangeRate GlobalTaxCalculation IncludeInAnnualTPAR "
        "Line LinkedTxn PrivateNote RecurDataRef TotalAmt TransactionLocationType TxnDate VendorRef"
    ),
    "Purchase": _names(
        "AccountRef Credit CurrencyRef CustomField DepartmentRef DocNumber EntityRef ExchangeRate GlobalTaxCalculation "
        "IncludeInAnnualTPAR Line LinkedTxn PaymentMethodRef PaymentType PrintStatus PrivateNote PurchaseEx "
        "RecurDataRef RemitToAddr TotalAmt TransactionLocationType TxnDate TxnSource TxnTaxDetail"
    ),
    "Invoice": _names(
        "AllowIPNPayment AllowOnlineACHPayment AllowOnlineCreditCardPayment AllowOnlinePayment ApplyTaxAfterDiscount "
        "Balance BillAddr BillEmail BillEmailBcc BillEmailCc ClassRef CurrencyRef CustomField CustomerMemo CustomerRef "
        "DeliveryInfo DepartmentRef Deposit DepositToAccountRef DocNumber DueDate EmailStatus ExchangeRate "
        "FreeFormAddress GlobalTaxCalculation HomeBalance HomeTotalAmt InvoiceLink Line LinkedTxn PrintStatus "
        "PrivateNote ProjectRef RecurDataRef SalesTermRef ShipAddr ShipDate ShipFromAddr ShipMethodRef TaxExemptionRef "
        "TotalAmt TrackingNum TransactionLocationType TxnDate TxnSource TxnTaxDetail"
    ),
    "Payment": _names(
        "CreditCardPayment CurrencyRef CustomerRef DepositToAccountRef ExchangeRate Line LinkedTxn PaymentMethodRef "
        "PaymentRefNum PrivateNote ProcessPayment ProjectRef TaxExemptionRef TotalAmt TransactionLocationType TxnDate "
        "TxnSource UnappliedAmt"
    ),
    "CreditMemo": _names(
        "ApplyTaxAfterDiscount Balance BillAddr BillEmail ClassRef CurrencyRef CustomField CustomerMemo CustomerRef "
        "DepartmentRef DocNumber EmailStatus ExchangeRate FreeFormAddress GlobalTaxCalculation HomeBalance HomeTotalAmt "
        "InvoiceRef Line PaymentMethodRef PrintStatus PrivateNote ProjectRef RecurDataRef RemainingCredit SalesTermRef "
        "ShipAddr ShipFromAddr TaxExemptionRef TotalAmt TransactionLocationType TxnDate TxnTaxDetail"
    ),
    "SalesReceipt": _names(
        "ApplyTaxAfterDiscount Balance BillAddr BillEmail ClassRef CreditCardPayment CurrencyRef CustomField "
        "CustomerMemo CustomerRef DeliveryInfo DepartmentRef DepositToAccountRef DocNumber EmailStatus ExchangeRate "
        "FreeFormAddress GlobalTaxCalculation HomeBalance HomeTotalAmt Line LinkedTxn PaymentMethodRef PaymentRefNum "
        "PrintStatus PrivateNote ProjectRef RecurDataRef ShipAddr ShipDate ShipFromAddr ShipMethodRef TotalAmt "
        "TrackingNum TransactionLocationType TxnDate TxnSource TxnTaxDetail"
    ),
    "RefundReceipt": _names(
        "ApplyTaxAfterDiscount Balance BillAddr BillEmail CheckPayment ClassRef CreditCardPayment CurrencyRef "
        "CustomField CustomerMemo CustomerRef DepartmentRef DepositToAccountRef DocNumber ExchangeRate "
        "GlobalTaxCalculation HomeBalance HomeTotalAmt Line PaymentMethodRef PaymentRefNum PaymentType PrintStatus "
        "PrivateNote ProjectRef RecurDataRef ShipAddr TaxExemptionRef TotalAmt TransactionLocationType TxnDate "
        "TxnSource TxnTaxDetail"
    ),
    "Deposit": _names(
        "CashBack CurrencyRef DepartmentRef DepositToAccountRef ExchangeRate GlobalTaxCalculation HomeTotalAmt Line "
        "PrivateNote RecurDataRef TotalAmt TransactionLocationType TxnDate TxnSource TxnTaxDetail"
    ),
    "Transfer": _names("Amount FromAccountRef PrivateNote RecurDataRef ToAccountRef TransactionLocationType TxnDate"),
    "JournalEntry": _names(
        "Adjustment CurrencyRef DocNumber ExchangeRate GlobalTaxCalculation HomeTotalAmt Line PrivateNote RecurDataRef "
        "TaxRateRef TotalAmt TransactionLocationType TxnDate TxnTaxDetail"
    ),
}


def _properties(entity: str) -> frozenset[str]:
    names = _OWN[entity] | _names(_EVERY_OBJECT)
    if entity in TRANSACTIONS:
        names |= _names(_EVERY_TRANSACTION)
    if entity in SALES_FORMS:
        names |= _names(_EVERY_SALES_FORM)
    return names


PROPERTIES: dict[str, frozenset[str]] = {entity: _properties(entity) for entity in ENTITIES}

REQUIRED: dict[str, tuple[str, ...]] = {
    "Account": ("Name",),
    "Item": ("Name",),
    "Term": ("Name",),
    "Bill": ("VendorRef", "Line"),
    "BillPayment": ("VendorRef", "PayType", "Line"),
    "VendorCredit": ("VendorRef", "Line"),
    "Purchase": ("PaymentType", "AccountRef", "Line"),
    "Invoice": ("CustomerRef", "Line"),
    "Payment": ("CustomerRef", "TotalAmt"),
    "CreditMemo": ("CustomerRef", "Line"),
    "SalesReceipt": ("Line",),
    "RefundReceipt": ("DepositToAccountRef", "Line"),
    "Deposit": ("DepositToAccountRef", "Line"),
    "Transfer": ("FromAccountRef", "ToAccountRef", "Amount"),
    "JournalEntry": ("Line",),
}

_QUERYABLE_EVERYWHERE = "Id MetaData.CreateTime MetaData.LastUpdatedTime"
_QUERYABLE_TRANSACTION = "TxnDate DocNumber TotalAmt"
_QUERYABLE_PERSON = (
    "Active Balance CompanyName DisplayName FamilyName GivenName MiddleName PrintOnCheckName PrimaryPhone"
)
_QUERYABLE_OWN = {
    "Account": "Active Name AccountType AccountSubType Classification CurrentBalance Description FullyQualifiedName "
    "ParentRef SubAccount",
    "Vendor": f"{_QUERYABLE_PERSON} AcctNum Vendor1099 PrimaryEmailAddr",
    "Customer": f"{_QUERYABLE_PERSON} BalanceWithJobs FullyQualifiedName Job ParentRef PrimaryEmailAddr Taxable",
    "Item": "Active Name FullyQualifiedName Sku Type UnitPrice Description",
    "Term": "Active Name Type DueDays",
    "Bill": "VendorRef DueDate APAccountRef SalesTermRef Balance",
    "BillPayment": "VendorRef PayType CheckPayment CreditCardPayment",
    "VendorCredit": "VendorRef APAccountRef Balance",
    "Purchase": "AccountRef EntityRef PaymentType",
    "Invoice": "CustomerRef DueDate SalesTermRef Balance EmailStatus",
    "Payment": "CustomerRef DepositToAccountRef PaymentRefNum PaymentMethodRef UnappliedAmt",
    "CreditMemo": "CustomerRef Balance",
    "SalesReceipt": "CustomerRef Balance DepositToAccountRef PaymentRefNum",
    "RefundReceipt": "CustomerRef Balance DepositToAccountRef",
    "Deposit": "DepositToAccountRef",
    "Transfer": "Amount",
    "CompanyInfo": "CompanyName Country",
}

QUERYABLE: dict[str, frozenset[str]] = {
    entity: _names(
        f"{_QUERYABLE_EVERYWHERE} {_QUERYABLE_OWN.get(entity, '')} "
        f"{_QUERYABLE_TRANSACTION if entity in TRANSACTIONS else ''}"
    )
    for entity in ENTITIES
}
