"""What the books say about each vendor: the facts that a tier is suggested from.

Belongs here: a year of bills by account, terms, the history of paying late. Does not: the suggestion (``vendor_tiers.py``); names,
which never decide.
"""

from collections import defaultdict
from collections.abc import Hashable, Mapping

import pandas as pd

from runway_calcs.bills.vendor_tiers import VendorFacts
from runway_calcs.books.as_of import DOCUMENT_KEY, LIST_KEY, AsOf, select_known
from runway_calcs.books.payment_history import payment_history
from runway_calcs.cents import median_half_up

_YEAR = pd.Timedelta(days=365)


def vendor_facts(
    bill_lines: pd.DataFrame,
    documents: pd.DataFrame,
    applications: pd.DataFrame,
    *,
    accounts: pd.DataFrame,
    parties: pd.DataFrame,
    terms: pd.DataFrame,
    at: AsOf,
) -> tuple[VendorFacts, ...]:
    """The facts about every vendor that billed or was paid in the year up to the as-of day, by id.

    Args:
        bill_lines: every version (`books/bill_lines`): qbo_id, known_at, created_at, is_deleted, txn_type, txn_date, party_id,
            account_id, amount_cents.
        documents: every version, as of ``payment_history``.
        applications: every version, as of ``payment_history``.
        accounts: every version; `account_type` and `account_subtype` are read.
        parties: every version; `party_type`, `term_id` and `is_1099` are read.
        terms: every version; `due_days` is read, -1 without one.
        at: the point of view.
    """
    cut = {"known_until": at.known_until, "first_known_at": at.first_known_at}
    lines = select_known(bill_lines, key=DOCUMENT_KEY, **cut)
    lines = lines[(lines["txn_date"] <= at.as_of_day) & (lines["txn_date"] > at.as_of_day - _YEAR)]
    lines = lines[lines["account_id"] != ""]
    chart = select_known(accounts, key=LIST_KEY, **cut).set_index("qbo_id")
    vendors = select_known(parties[parties["party_type"] == "Vendor"], key=LIST_KEY, **cut).set_index("qbo_id")
    due_days = select_known(terms, key=LIST_KEY, **cut).set_index("qbo_id")["due_days"].to_dict()
    late = _days_late(documents, applications, at=at)
    by_subtype, by_type = (_by(lines, chart[column].to_dict()) for column in ("account_subtype", "account_type"))
    total = int(lines["amount_cents"].sum())
    term_of, is_1099 = vendors["term_id"].to_dict(), vendors["is_1099"].to_dict()
    found = []
    for party_id in sorted({*by_type, *late}):
        days = due_days.get(term_of.get(party_id, ""), -1)
        own = late.get(party_id, [])
        found.append(
            VendorFacts(
                party_id=party_id,
                cents_by_subtype=by_subtype.get(party_id, {}),
                cents_by_type=by_type.get(party_id, {}),
                all_vendors_cents=total,
                terms_days=int(days) if days >= 0 else None,
                paid_bills=len(own),
                usual_days_late=median_half_up(sorted(own)) if own else None,
                is_1099=bool(is_1099.get(party_id, False)),
            )
        )
    return tuple(found)


def _by(lines: pd.DataFrame, kind_of: Mapping[Hashable, str]) -> dict[str, dict[str, int]]:
    """Cents of each vendor by the kind of account; accounts that nothing is known of count as the kind ""."""
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for party_id, account_id, cents in lines[["party_id", "account_id", "amount_cents"]].itertuples(
        index=False, name=None
    ):
        kind = kind_of.get(account_id, "")
        found[party_id][kind] = found[party_id].get(kind, 0) + int(cents)
    return found


def _days_late(documents: pd.DataFrame, applications: pd.DataFrame, *, at: AsOf) -> dict[str, list[int]]:
    """Days from due date to payment of each vendor's bills that were paid in the year; bills without a due date say nothing."""
    history = payment_history(documents, applications, side="payables", at=at)
    paid = history[history["paid_date"].notna() & history["due_date"].notna()]
    paid = paid[(paid["paid_date"] <= at.as_of_day) & (paid["paid_date"] > at.as_of_day - _YEAR)]
    late = (paid["paid_date"] - paid["due_date"]).dt.days
    found: dict[str, list[int]] = defaultdict(list)
    for party_id, days in zip(paid["counterparty_id"], late, strict=True):
        found[str(party_id)].append(int(days))
    return found
