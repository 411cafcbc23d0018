"""An ACH file as Runway makes it, on the standard output: made with Runway's packages, read by a parser that has none of them."""

import sys
from datetime import UTC, date, datetime

from payments.controls.payees import BankDetails
from payments.rails.nacha_file import Entry, Originator, Place, file_text
from resources.secret_text import Secret

_ORIGINATOR = Originator(
    bank_routing="021000021", bank_name="First Bank", company_id="1234567890", company_name="Alder Works"
)
#: Routing number, account number, kind of account, cents, vendor.
_PAYMENTS = (
    ("091000019", "000123456789", "checking", 12_345, "Café Müller"),
    ("011401533", "42", "savings", 500, "Larch & Sons, Inc."),
    ("122105278", "98765432101234567", "checking", 9_999_999_999, "V" * 40),
)
#: The second file of its day, after 41 entries in earlier ones.
_PLACE = Place(files_of_day=1, entries=41)


def main() -> None:
    """Print the file."""
    entries = [
        Entry(
            details=BankDetails(routing_number=Secret(routing), account_number=Secret(account), account_kind=kind),
            amount_cents=cents,
            reference=f"RW-{number:018d}",
            vendor_name=vendor,
        )
        for number, (routing, account, kind, cents, vendor) in enumerate(_PAYMENTS)
    ]
    made = datetime(2026, 11, 20, 9, 5, tzinfo=UTC)
    day = date(2026, 11, 23)
    sys.stdout.write(file_text(_ORIGINATOR, entries, made_at=made, effective_on=day, place=_PLACE))


if __name__ == "__main__":
    main()
