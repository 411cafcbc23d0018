"""Cash as of a day: which bank accounts count, with what balance, and what is left out and why.

Belongs here: balances of bank, card and undeposited accounts as known, and the choice between them.
Does not: movements between two days (``runway_calcs/books/movements.py``); the future (``runway_calcs/forecast/figures.py``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import pandas as pd

from runway_calcs.books.as_of import DOCUMENT_KEY, LIST_KEY, AsOf, Basis, select_known, versions_at
from runway_calcs.policy import CardBasis, CashPolicy


class CashState(StrEnum):
    """Whether there is a cash figure."""

    OK = "ok"
    NO_DATA = "no data"
    """The books hold no bank account."""
    NOT_COMPUTABLE = "not computable"
    """There are bank accounts, but none that may be counted, or a chosen one is missing: see the reason."""


class ExclusionReason(StrEnum):
    """Why an account is shown but not counted."""

    TRUST = "held in trust for others"
    UNDEPOSITED = "received but not yet deposited"
    FOREIGN_CURRENCY = "in another currency"
    INACTIVE = "inactive in QuickBooks"
    EXCLUDED = "left out by the tenant's settings"
    NOT_CHOSEN = "not among the chosen accounts"


@dataclass(frozen=True, slots=True, kw_only=True)
class IncludedAccount:
    """A bank account that counts as cash."""

    account_id: str
    name: str
    balance_cents: int
    """Book balance on the as-of day."""
    dated_later_cents: int
    """Entered by then but dated after the as-of day: not in the balance, and to come (signed)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExcludedAccount:
    """An account that is shown beside the cash but not counted."""

    account_id: str
    name: str
    balance_cents: int
    """In the currency of the account, which is another than the home currency for FOREIGN_CURRENCY."""
    currency: str
    reason: ExclusionReason


@dataclass(frozen=True, slots=True, kw_only=True)
class CardAccount:
    """A credit card in home currency: not cash, but a payment to come."""

    account_id: str
    name: str
    owed_cents: int
    """Positive when the tenant owes the card company."""
    last_paid_on: date | None = None
    """Last day on which the cash paid it, told where purchases count: then the payment is no movement. None: never, or not told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CashPosition:
    """The cash of a tenant at the end of the as-of day, as its books were known at an instant."""

    as_of: date
    basis: Basis
    state: CashState
    reason: str
    """Why there is no figure; empty when the state is OK."""
    cash_cents: int | None
    """Sum of the included accounts; None unless the state is OK."""
    accounts: tuple[IncludedAccount, ...]
    excluded: tuple[ExcludedAccount, ...]
    cards: tuple[CardAccount, ...]
    dated_later_cents: int
    """Sum of the included accounts' entries dated after the as-of day."""
    trust_cents: int
    undeposited_cents: int
    card_owed_cents: int
    card_basis: CardBasis = "payment"
    """What its movements are netted over (``movements.cash_movements``)."""

    @property
    def account_ids(self) -> frozenset[str]:
        """Ids of the accounts that count as cash."""
        return frozenset(account.account_id for account in self.accounts)

    @property
    def moving_ids(self) -> frozenset[str]:
        """Ids of the accounts whose entries move the cash: those that count, and closed ones, which did while they were open."""
        closed = {
            one.account_id for one in self.excluded if one.reason is ExclusionReason.INACTIVE and one.balance_cents == 0
        }
        return self.account_ids | closed

    @property
    def card_ids(self) -> frozenset[str]:
        """Ids of the card accounts."""
        return frozenset(card.account_id for card in self.cards)

    @property
    def foreign_ids(self) -> frozenset[str]:
        """Ids of the accounts in another currency."""
        return frozenset(one.account_id for one in self.excluded if one.reason is ExclusionReason.FOREIGN_CURRENCY)

    @property
    def elsewhere_ids(self) -> frozenset[str]:
        """Ids of the accounts that hold money which is not cash and does not become it; a closed one was cash while it was open."""
        passing = (ExclusionReason.UNDEPOSITED, ExclusionReason.INACTIVE)
        return frozenset(one.account_id for one in self.excluded if one.reason not in passing)


def cash_position(
    accounts: pd.DataFrame, postings: pd.DataFrame, *, at: AsOf, home_currency: str, policy: CashPolicy
) -> CashPosition:
    """The cash at the end of the as-of day: book balances of the accounts that count, and all the others beside it."""
    known = account_balances(accounts, postings, at=at)
    bank = _rows(known[known["account_type"] == "Bank"])
    reasons = {account.qbo_id: _exclusion(account, home_currency=home_currency, policy=policy) for account in bank}
    included = tuple(_included(account) for account in bank if reasons[account.qbo_id] is None)
    # A closed card is still shown while something is owed on it.
    is_card = (known["account_type"] == "Credit Card") & (known["is_active"] | (known["balance_cents"] != 0))
    is_home = known["currency"].isin(["", home_currency])
    is_undeposited = known["account_subtype"].isin(policy.undeposited_subtypes) & (known["account_type"] != "Bank")
    excluded = (
        *(_excluded(account, why) for account in bank if (why := reasons[account.qbo_id]) is not None),
        *(_excluded(account, ExclusionReason.UNDEPOSITED) for account in _rows(known[is_undeposited])),
        *(_excluded(account, ExclusionReason.FOREIGN_CURRENCY) for account in _rows(known[is_card & ~is_home])),
    )
    paid_on = _cards_paid(postings, at=at) if policy.card_basis == "purchase" else {}
    cards = tuple(
        CardAccount(
            account_id=card.qbo_id,
            name=card.name,
            owed_cents=-card.balance_cents,
            last_paid_on=max(
                (on for account in included if (on := paid_on.get((card.qbo_id, account.account_id)))),
                default=None,
            ),
        )
        for card in _rows(known[is_card & is_home])
    )
    state, reason = _state(bank_ids=frozenset(reasons), included_count=len(included), policy=policy)
    return CashPosition(
        as_of=at.as_of,
        basis=at.basis,
        state=state,
        reason=reason,
        cash_cents=sum(account.balance_cents for account in included) if state is CashState.OK else None,
        accounts=included,
        excluded=excluded,
        cards=cards,
        dated_later_cents=sum(account.dated_later_cents for account in included),
        trust_cents=_total(excluded, ExclusionReason.TRUST),
        undeposited_cents=_total(excluded, ExclusionReason.UNDEPOSITED),
        card_owed_cents=sum(card.owed_cents for card in cards),
        card_basis=policy.card_basis,
    )


def _cards_paid(postings: pd.DataFrame, *, at: AsOf) -> dict[tuple[str, str], date]:
    """The last day up to the as-of day on which what is owed on an account fell against another one, by both ids."""
    known = select_known(postings, known_until=at.known_until, first_known_at=at.first_known_at, key=DOCUMENT_KEY)
    fell = known[(known["amount_cents"] > 0) & (known["txn_date"] <= at.as_of_day)].sort_values("txn_date")
    rows = fell[["account_id", "counter_account_ids"]].itertuples(index=False, name=None)
    return {
        (account_id, counter): on
        for on, (account_id, counters) in zip(fell["txn_date"].dt.date, rows, strict=True)
        for counter in counters.split(";")
    }


def account_balances(accounts: pd.DataFrame, postings: pd.DataFrame, *, at: AsOf) -> pd.DataFrame:
    """Every known account with its book balance at the end of the as-of day, by name and id.

    `balance_cents` starts from the balance QuickBooks gave with the account version that counts, and takes out what
    was entered after the instant (only possible before the first sync) and what is dated after the day
    (`dated_later_cents`, as far as it was known).
    """
    cut = {"known_until": at.known_until, "first_known_at": at.first_known_at}
    known = select_known(accounts, key=LIST_KEY, **cut).reset_index(drop=True)
    unseen = pd.Series(0, index=known.index, dtype="int64")
    later = pd.Series(0, index=known.index, dtype="int64")
    if not at.is_reconstructed:
        entered = select_known(postings, key=DOCUMENT_KEY, **cut)
        later += _sum_by_account(entered[entered["txn_date"] > at.as_of_day], known["qbo_id"])
    else:
        # The balance of a first version holds the postings of the sync that kept it, whenever these were entered.
        for _, rows in known.groupby("known_at", sort=True):
            kept = versions_at(postings, instant=rows["known_at"].iloc[0], key=DOCUMENT_KEY)
            is_entered = kept["created_at"] <= pd.Timestamp(at.known_until)
            is_later = kept["txn_date"] > at.as_of_day
            unseen.loc[rows.index] = _sum_by_account(kept[~is_entered], rows["qbo_id"])
            later.loc[rows.index] = _sum_by_account(kept[is_entered & is_later], rows["qbo_id"])
    balances = known.assign(balance_cents=known["current_balance_cents"] - unseen - later, dated_later_cents=later)
    return balances.sort_values(["name", "qbo_id"]).reset_index(drop=True)


def _sum_by_account(postings: pd.DataFrame, account_ids: pd.Series) -> pd.Series:
    """The sum of the postings of each of the accounts, on the index of `account_ids`."""
    sums = postings.groupby("account_id")["amount_cents"].sum().reindex(account_ids, fill_value=0)
    return pd.Series(sums.to_numpy(dtype="int64"), index=account_ids.index)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Account:
    """One row of the balances, typed."""

    qbo_id: str
    name: str
    account_subtype: str
    is_active: bool
    currency: str
    balance_cents: int
    dated_later_cents: int
    was_emptied_later: bool
    """It holds nothing in QuickBooks and held something on the as-of day: a closed account was open then."""


def _rows(balances: pd.DataFrame) -> list[_Account]:
    texts, numbers = ["qbo_id", "name", "account_subtype", "currency"], ["balance_cents", "dated_later_cents"]
    columns = balances[[*texts, "is_active", *numbers, "current_balance_cents"]]
    return [
        _Account(
            qbo_id=qbo_id,
            name=name,
            account_subtype=account_subtype,
            is_active=bool(is_active),
            currency=currency,
            balance_cents=int(balance_cents),
            dated_later_cents=int(dated_later_cents),
            was_emptied_later=current_cents == 0 and balance_cents != 0,
        )
        for (
            qbo_id,
            name,
            account_subtype,
            currency,
            is_active,
            balance_cents,
            dated_later_cents,
            current_cents,
        ) in columns.itertuples(index=False, name=None)
    ]


def _exclusion(account: _Account, *, home_currency: str, policy: CashPolicy) -> ExclusionReason | None:
    """Why a bank account does not count, the strongest reason first; None when it does."""
    rules = (
        (account.account_subtype in policy.trust_subtypes, ExclusionReason.TRUST),
        (account.account_subtype in policy.undeposited_subtypes, ExclusionReason.UNDEPOSITED),
        (account.currency not in ("", home_currency), ExclusionReason.FOREIGN_CURRENCY),
        (account.qbo_id in policy.excluded_account_ids, ExclusionReason.EXCLUDED),
        (
            policy.chosen_account_ids is not None and account.qbo_id not in policy.chosen_account_ids,
            ExclusionReason.NOT_CHOSEN,
        ),
        (not account.is_active and not account.was_emptied_later, ExclusionReason.INACTIVE),
    )
    return next((reason for applies, reason in rules if applies), None)


def _included(account: _Account) -> IncludedAccount:
    return IncludedAccount(
        account_id=account.qbo_id,
        name=account.name,
        balance_cents=account.balance_cents,
        dated_later_cents=account.dated_later_cents,
    )


def _excluded(account: _Account, reason: ExclusionReason) -> ExcludedAccount:
    return ExcludedAccount(
        account_id=account.qbo_id,
        name=account.name,
        balance_cents=account.balance_cents,
        currency=account.currency,
        reason=reason,
    )


def _total(excluded: Sequence[ExcludedAccount], reason: ExclusionReason) -> int:
    return sum(account.balance_cents for account in excluded if account.reason is reason)


def _state(*, bank_ids: frozenset[str], included_count: int, policy: CashPolicy) -> tuple[CashState, str]:
    if not bank_ids:
        return CashState.NO_DATA, "the books hold no bank account"
    missing = sorted((policy.chosen_account_ids or frozenset()) - bank_ids)
    if missing:
        return CashState.NOT_COMPUTABLE, f"chosen bank accounts not in the books: {', '.join(missing)}"
    if not included_count:
        return CashState.NOT_COMPUTABLE, "none of the bank accounts can be counted as cash"
    return CashState.OK, ""
