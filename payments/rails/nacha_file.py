"""A bank-ready ACH file of vendor payments, as Nacha's rules lay it out.

Belongs here: the file's records from values, and reading one back to check it. Does not: which payments (`sending/bank_files.py`),
bank details at rest (`controls/payees.py`).

One batch of credits between companies (CCD), records of 94 characters, ten to a block. Layout and hash totals: Nacha Operating
Rules, appendix on ACH record format specifications. The file is the same for the same values, to the byte.
"""

import string
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from payments.controls.payees import BankDetails, is_routing_number
from payments.errors import BadRequest
from payments.rails.protocol import Abilities
from runway_calcs.bills.payment_days import banking_days, business_days

NAME = "nacha_file"
#: A person carries the file to the bank, and nobody can ask the bank by our key.
ABILITIES = Abilities(remembers_keys_for=None, can_be_searched=False, can_be_cancelled=False, instructs_at_once=False)

RECORD = 94
_BLOCKING = 10
_CREDITS_ONLY = "220"
_CODES = {"checking": "22", "savings": "32"}
_MOST_CENTS = 10**10 - 1
_HASH = 10**10
_TRACES = 10**7
#: What tells the files of one company and day apart, in the order in which they are made.
_FILE_IDS = string.ascii_uppercase + string.digits


@dataclass(frozen=True, slots=True, kw_only=True)
class Originator:
    """Who pays, as its bank has agreed it with the company."""

    #: The bank: nine digits with check digit, and name.
    bank_routing: str
    bank_name: str
    #: The company: up to ten characters that the bank assigned, and name.
    company_id: str
    company_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One payment to a vendor; the details show nothing of themselves."""

    details: BankDetails
    amount_cents: int
    reference: str
    vendor_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What came before a file: by it the bank tells the file, and its entries, from others."""

    #: Files of the company made before it on its day.
    files_of_day: int = 0
    #: Entries in all files of the company made before it.
    entries: int = 0


def effective_day(pay_on: date, *, made_on: date) -> date:
    """The day the money is asked to move: the wanted one, at the earliest the next banking day (of the Federal Reserve)."""
    first = max(pay_on, made_on + timedelta(days=1))
    days = banking_days(currency="USD", as_of=first)
    return business_days(first=first, last=first + timedelta(days=7), policy=days)[0]


def file_text(
    originator: Originator, entries: Sequence[Entry], *, made_at: datetime, effective_on: date, place: Place
) -> str:
    """The file, lines ended by newlines; `BadRequest` if a value has no place in it. `made_at` is in the company's zone."""
    _refuse_unusable(originator, entries)
    if place.files_of_day >= len(_FILE_IDS):
        raise BadRequest(
            what=f"{place.files_of_day} payment files were made today, and no bank tells more than {len(_FILE_IDS)} apart.",
            next_step="Make this one tomorrow; nothing was written.",
        )
    odfi = originator.bank_routing[:8]
    company_id = _text(originator.company_id, 10)
    header = _file_header(originator, made_at=made_at, file_id=_FILE_IDS[place.files_of_day])
    lines = [header, _batch_header(originator, made_at=made_at, on=effective_on)]
    lines += [
        _entry(entry, trace=trace_number(originator.bank_routing, number, place=place))
        for number, entry in enumerate(entries, start=1)
    ]
    count, total = len(entries), sum(entry.amount_cents for entry in entries)
    hashed = sum(int(entry.details.routing_number.reveal()[:8]) for entry in entries) % _HASH
    totals = f"{hashed:010d}{0:012d}{total:012d}"
    lines.append(f"8{_CREDITS_ONLY}{count:06d}{totals}{company_id}{'':25}{odfi}{1:07d}")
    blocks = -(-(len(lines) + 1) // _BLOCKING)
    lines.append(f"9{1:06d}{blocks:06d}{count:08d}{totals}{'':39}")
    lines += ["9" * RECORD] * (blocks * _BLOCKING - len(lines))
    assert all(len(line) == RECORD for line in lines), "every record has its length"
    return "".join(f"{line}\n" for line in lines)


def trace_number(bank_routing: str, number: int, *, place: Place) -> str:
    """The number by which the bank speaks of a file's `number`th entry; the company has no other of it in ten million entries."""
    return f"{bank_routing[:8]}{(place.entries + number) % _TRACES:07d}"


def _file_header(originator: Originator, *, made_at: datetime, file_id: str) -> str:
    origin = _text(originator.company_id, 10)
    names = _text(originator.bank_name, 23) + _text(originator.company_name, 23)
    return f"101 {originator.bank_routing}{origin}{made_at:%y%m%d%H%M}{file_id}094101{names}{'':8}"


def _batch_header(originator: Originator, *, made_at: datetime, on: date) -> str:
    company = f"{_text(originator.company_name, 16)}{'':20}{_text(originator.company_id, 10)}"
    return f"5{_CREDITS_ONLY}{company}CCD{'VENDOR PAY':10}{made_at:%y%m%d}{on:%y%m%d}   1{originator.bank_routing[:8]}{1:07d}"


def _entry(entry: Entry, *, trace: str) -> str:
    details = entry.details
    account = _text(details.account_number.reveal(), 17)
    names = _text(entry.reference, 15) + _text(entry.vendor_name, 22)
    code = _CODES[details.account_kind]
    return f"6{code}{details.routing_number.reveal()}{account}{entry.amount_cents:010d}{names}  0{trace}"


def _text(value: str, width: int) -> str:
    """Upper-case ASCII of a width, filled with blanks; accents fall off, what is left without a letter becomes a blank."""
    plain = unicodedata.normalize("NFKD", value)
    kept = "".join(one for one in plain if not unicodedata.combining(one))
    ascii_only = "".join(one if one.isascii() and one.isprintable() else " " for one in kept)
    return f"{ascii_only.upper()[:width]:{width}}"


def _refuse_unusable(originator: Originator, entries: Sequence[Entry]) -> None:
    wrong = []
    if not is_routing_number(originator.bank_routing):
        wrong.append("the routing number of the company's bank")
    if not originator.company_id.strip() or len(originator.company_id) > 10:  # noqa: PLR2004 - the width of the field
        wrong.append("the id that the bank gave the company (1 to 10 characters)")
    wrong += [name for name in ("bank_name", "company_name") if not getattr(originator, name).strip()]
    if not entries:
        wrong.append("there is no payment")
    for entry in entries:
        if not is_routing_number(entry.details.routing_number.reveal()) or entry.details.account_kind not in _CODES:
            wrong.append(f"the bank details of {entry.vendor_name}")
        if not 0 < entry.amount_cents <= _MOST_CENTS:
            wrong.append(f"the amount of {entry.vendor_name}")
    if wrong:
        raise BadRequest(
            what=f"No payment file can be made: {', '.join(wrong)}.", next_step="Correct it; nothing was written."
        )
