"""Bills keyed in twice, and vendors that stand in the books under two names.

Belongs here: what makes two bills or two vendors alike. Does not: other defects; merging anything.

Two bills are one paper when vendor (its duplicates included) and total are the same and
- their numbers are the same once letters' case, punctuation and leading zeros are dropped, or two neighbouring digits are
  swapped, and they are dated within `duplicate_number_days`; or
- one of them has no number and they are dated within `duplicate_days`; or
- neither has a number and they carry the same date.
Different numbers are different papers, however alike the rest is: weekly fees come for the same amount.

Two vendors are one when their names are the same without case, punctuation and legal form, or differ by one letter in a name
of ten or more. QuickBooks gives no tax number, and the books' tables hold no address: a name is all there is.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from runway_calcs.books.corrections import MergeVendors, RemoveDocument
from runway_calcs.hygiene.defects import NOT_COMPUTED, Defect, DefectKind, KnownBooks, Row, Severity
from runway_calcs.hygiene.documents import label_of
from runway_calcs.policy import HygienePolicy

_LEGAL_FORMS = frozenset(
    {
        *("co", "company", "corp", "corporation", "gmbh", "inc", "incorporated", "limited", "llc", "llp", "lp", "ltd"),
        *("pc", "plc", "pllc", "the"),
    }
)
_LONG_NAME = 10
"""One letter's difference in a shorter name is another name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pair:
    """Two vendors that look like one: the one entered first, and the later one."""

    original: Row
    copy: Row
    evidence: str


def duplicate_defects(books: KnownBooks, *, policy: HygienePolicy) -> Iterator[Defect]:
    """Duplicate vendors, then duplicate bills."""
    pairs = _vendor_pairs(books)
    yield from (_vendor_defect(books, pair) for pair in pairs)
    one_vendor = {str(pair.copy["qbo_id"]): str(pair.original["qbo_id"]) for pair in pairs}
    yield from _bill_defects(books, one_vendor=one_vendor, policy=policy)


def plain_name(name: str) -> str:
    """A name without case, punctuation and legal form, its words in order."""
    spelled = name.casefold().replace("&", " and ")
    letters = "".join(letter if letter.isalnum() or letter.isspace() else " " for letter in spelled.replace("'", ""))
    words = [word for word in letters.split() if word not in _LEGAL_FORMS]
    return " ".join(words) or letters.strip()


def plain_number(number: str) -> str:
    """A document number without case, punctuation and the leading zeros of its digits."""
    letters = "".join(letter for letter in number.casefold() if letter.isalnum())
    head = letters.rstrip("0123456789")
    return head + letters[len(head) :].lstrip("0")


def is_same_number(one: str, other: str) -> bool:
    """Whether two plain numbers, neither empty, are one number as two people key it in."""
    if one == other:
        return True
    if len(one) != len(other):
        return False
    differing = [place for place, (left, right) in enumerate(zip(one, other, strict=True)) if left != right]
    if len(differing) != 2 or differing[1] != differing[0] + 1:  # noqa: PLR2004 - two neighbours
        return False
    first, second = differing
    return one[first] == other[second] and one[second] == other[first]


def _vendor_pairs(books: KnownBooks) -> list[_Pair]:
    vendors = sorted(
        books.vendors().to_dict("records"),
        key=lambda row: (row["created_at"], str(row["qbo_id"])),
    )
    by_name: dict[str, Row] = {}
    by_shortened: dict[str, list[Row]] = defaultdict(list)
    pairs = []
    for vendor in vendors:
        plain = plain_name(str(vendor["display_name"]))
        twin, evidence = by_name.get(plain), "the same name without case, punctuation and legal form"
        if twin is None:
            near = [known for short in _one_letter_less(plain) for known in by_shortened[short]]
            twin = next(
                (known for known in near if _is_one_letter_apart(plain, plain_name(str(known["display_name"])))), None
            )
            evidence = "names that differ by one letter"
        if twin is None:
            by_name[plain] = vendor
            for short in _one_letter_less(plain):
                by_shortened[short].append(vendor)
        else:
            pairs.append(_Pair(original=twin, copy=vendor, evidence=evidence))
    return pairs


def _one_letter_less(plain: str) -> list[str]:
    """The name, and the name without each of its letters: two names one letter apart share one of these."""
    if len(plain) < _LONG_NAME:
        return []
    return [plain, *sorted({plain[:place] + plain[place + 1 :] for place in range(len(plain))})]


def _is_one_letter_apart(one: str, other: str) -> bool:
    """One letter replaced, added or left out; a digit that differs makes another branch or another year."""
    shorter, longer = sorted((one, other), key=len)
    if len(longer) - len(shorter) > 1:
        return False
    start = next(
        (place for place, pair in enumerate(zip(shorter, longer, strict=False)) if pair[0] != pair[1]), len(shorter)
    )
    skip = 1 if len(shorter) == len(longer) else 0
    if shorter[start + skip :] != longer[start + 1 :]:
        return False
    changed = longer[start : start + 1] + shorter[start : start + skip]
    return not any(letter.isdigit() for letter in changed)


def _vendor_defect(books: KnownBooks, pair: _Pair) -> Defect:
    original, copy = pair.original, pair.copy
    own = books.documents[
        books.documents["txn_type"].isin(("Bill", "VendorCredit", "BillPayment"))
        & (books.documents["party_id"] == copy["qbo_id"])
    ]
    left = int(own["open_cents"].sum())
    entered = pd.Timestamp(copy["created_at"])
    return Defect(
        kind=DefectKind.DUPLICATE_VENDOR,
        severity=Severity.NON_BLOCKING,
        object_type="Vendor",
        object_id=str(copy["qbo_id"]),
        label=str(copy["display_name"]),
        what=f"It looks like {original['display_name']} entered again, so habits, terms and duplicates are seen in halves.",
        evidence=(pair.evidence, f"{len(own)} documents under the later name"),
        related_ids=(str(original["qbo_id"]),),
        amount_cents=max(0, left),
        age_days=books.age_days(entered.tz_convert(None)),
        is_open=True,
        correction=MergeVendors(keep_id=str(original["qbo_id"]), merged_id=str(copy["qbo_id"])),
        remedy=f"Merge it into {original['display_name']} in QuickBooks, if it is the same company.",
        effect=NOT_COMPUTED,
    )


def _bill_defects(books: KnownBooks, *, one_vendor: Mapping[str, str], policy: HygienePolicy) -> Iterator[Defect]:
    documents = books.documents
    since = books.at.as_of_day - pd.Timedelta(days=policy.duplicate_lookback_days)
    bills = documents[
        (documents["txn_type"] == "Bill") & (documents["total_cents"] > 0) & (documents["txn_date"] >= since)
    ]
    alike = bills.assign(vendor=bills["party_id"].map(lambda party: one_vendor.get(party, party)))
    alike = alike[alike.duplicated(["vendor", "total_cents"], keep=False)]
    for _, rows in alike.groupby(["vendor", "total_cents"], sort=True):
        yield from _copies(books, rows.sort_values(["created_at", "qbo_id"]).to_dict("records"), policy=policy)


def _copies(books: KnownBooks, rows: Sequence[Row], *, policy: HygienePolicy) -> Iterator[Defect]:
    """Each bill that repeats one entered before it; a third copy repeats the first."""
    originals: list[Row] = []
    for row in rows:
        matches = ((known, _likeness(known, row, policy=policy)) for known in originals)
        found = next(((known, why) for known, why in matches if why), None)
        if found is None:
            originals.append(row)
        else:
            yield _bill_defect(books, original=found[0], copy=row, evidence=found[1])


def _likeness(one: Row, other: Row, *, policy: HygienePolicy) -> str:
    """Why two bills of one vendor and amount look like one paper; empty when they do not."""
    numbers = [plain_number(str(row["doc_number"])) for row in (one, other)]
    apart = abs((other["txn_date"] - one["txn_date"]).days)
    if all(numbers):
        if apart <= policy.duplicate_number_days and is_same_number(*numbers):
            same = "the same number" if numbers[0] == numbers[1] else "the same number but for two swapped characters"
            return f"{same}, dated {apart} days apart"
        return ""
    if any(numbers):
        return f"one without a number, dated {apart} days apart" if apart <= policy.duplicate_days else ""
    return "both without a number, of the same date" if apart == 0 else ""


def _bill_defect(books: KnownBooks, *, original: Row, copy: Row, evidence: str) -> Defect:
    left, total = int(copy["open_cents"]), int(copy["total_cents"])
    is_open, is_untouched = left > 0, left == total
    dated = pd.Timestamp(copy["txn_date"])
    return Defect(
        kind=DefectKind.DUPLICATE_BILL,
        severity=Severity.BLOCKING if is_open else Severity.NON_BLOCKING,
        object_type="Bill",
        object_id=str(copy["qbo_id"]),
        label=label_of(copy),
        what="It looks like a bill entered twice: the same money is counted out again."
        if is_open
        else "It looks like a bill entered and paid twice.",
        evidence=(
            evidence,
            f"both of {total} cents",
            f"the other was entered {_entered(original)}, this {_entered(copy)}",
        ),
        related_ids=(str(original["qbo_id"]),),
        amount_cents=left if is_open else total,
        age_days=books.age_days(dated),
        is_open=is_open,
        correction=RemoveDocument(txn_type="Bill", txn_id=str(copy["qbo_id"])) if is_untouched else None,
        remedy="Compare the two papers, and delete the copy if they are one."
        if is_untouched
        else "Compare the two papers; if they are one, the vendor has money to give back or to credit.",
        effect=NOT_COMPUTED,
    )


def _entered(row: Row) -> str:
    return str(pd.Timestamp(row["created_at"]).date())
