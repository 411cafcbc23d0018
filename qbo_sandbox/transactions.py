"""Entering, changing and removing transactions, and what that does to the transactions linked to them.

Belongs here: forms turned into ledger entries, checks of links, links and balances shown on documents. Does not: lists
and look-ups (``books.py``), arithmetic of one transaction (``postings.py``).
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from qbo_sandbox.books import KEPT_KEYS, Books
from qbo_sandbox.entities import LINK_NAME, PAYERS, SETTLES
from qbo_sandbox.faults import QboFault
from qbo_sandbox.forms import stored_form
from qbo_sandbox.ledger import Entry
from qbo_sandbox.money import line_money, money, to_cents
from qbo_sandbox.objects import JsonObject, StoredObject
from qbo_sandbox.postings import PAYABLE, UNDEPOSITED, Effect, effect_of

_CREDITS = ("VendorCredit", "CreditMemo")
_LINKED = ("Bill", "VendorCredit", "Invoice", "CreditMemo", "Payment", "SalesReceipt")
_PARTY_HOLDERS = (
    "VendorRef", "CustomerRef", "EntityRef", "Entity", "Line", "JournalEntryLineDetail", "DepositLineDetail",
)  # fmt: skip


def enter(books: Books, entity: str, body: Mapping[str, Any], *, today: str) -> StoredObject:
    """Enter a new transaction at the books' present instant."""
    form, effect = _form_and_effect(books, entity, body, today=today)
    txn_id = books.peek_id("transaction")
    entry = _entry(books, entity, txn_id, form, effect)
    _check(books, entry)
    books.take_id("transaction")
    form["Id"] = txn_id
    stored = StoredObject(entity=entity, body=form, at=books.now)
    books.objects[entity][txn_id] = books.transactions[txn_id] = stored
    stored.entry = entry
    books.ledger.enter(entry)
    form.update(_computed(books, stored))
    books.touch_around(entry)
    for target in _targets(entry):
        _refresh(books, books.transactions[target])
    return stored


def revise(books: Books, stored: StoredObject, body: Mapping[str, Any], *, today: str) -> None:
    """Give a transaction a new version."""
    form, effect = _form_and_effect(books, stored.entity, body, today=today, replaces=stored)
    old = _entry_of(stored)
    deposited = stored.id in books.ledger.deposited
    if (deposited or books.ledger.settled.get(stored.id)) and effect.party != old.party_id:
        raise QboFault.business("A linked transaction keeps its customer or vendor.", code="6540")
    if deposited and effect.postings != old.effect.postings:
        raise QboFault.business("This transaction has been deposited and cannot be changed.", code="6540")
    _replace_entry(books, stored, (form, effect))
    dropped = tuple(key for key in stored.body if key not in form and key not in KEPT_KEYS)
    stored.change({**form, **_computed(books, stored)}, at=books.now, drop=dropped)


def remove(books: Books, stored: StoredObject) -> None:
    """Delete a transaction that nothing else settles or deposits; what it settled is open again."""
    deposited = stored.id in books.ledger.deposited
    if deposited or books.ledger.settled.get(stored.id):
        code = "6540" if deposited else books.rules.delete_linked_code
        raise QboFault.business("You must unlink the linked transactions before you can delete this one.", code=code)
    _replace_entry(books, stored, None)
    stored.gone = stored.updated = books.now
    del books.objects[stored.entity][stored.id], books.transactions[stored.id]
    books.gone[stored.entity][stored.id] = stored


def move_to_party(books: Books, *, merged: str, reference: Mapping[str, Any]) -> None:
    """Move every transaction of a merged vendor or customer to the one that stays."""
    moved = [stored for stored in books.transactions.values() if _names_party(_entry_of(stored), merged)]
    # All are out of force before any is back: the open amounts of linked documents only balance as a whole.
    old_entries = [_entry_of(stored) for stored in moved]
    for old in old_entries:
        books.ledger.retire(old, at=books.now)
    bodies = [_with_party(stored.body, merged, reference) for stored in moved]
    for stored, old, body in zip(moved, old_entries, bodies, strict=True):
        effect = effect_of(stored.entity, body, chart=books)
        party = str(reference["value"]) if old.party_id == merged else old.party_id
        stored.entry = replace(old, effect=effect, party_id=party, entered=books.now, until=None)
        books.ledger.enter(stored.entry)
    for stored, body in zip(moved, bodies, strict=True):
        seen = stored.updated
        stored.change({**body, **_computed(books, stored)}, at=books.now)
        if not books.rules.merge_touches_transactions:
            stored.updated = seen


def _entry_of(stored: StoredObject) -> Entry:
    assert stored.entry is not None, "every live transaction has an entry in force"
    return stored.entry


def _form_and_effect(
    books: Books, entity: str, body: Mapping[str, Any], *, today: str, replaces: StoredObject | None = None
) -> tuple[JsonObject, Effect]:
    form = stored_form(entity, body, named=books.reference, due_days=books.due_days, today=today)
    effect = effect_of(entity, form, chart=books)
    if entity in PAYERS and books.rules.overpaying_line == "cap":
        effect = _capped(books, form, effect, replaces=replaces)
    if entity == "Transfer":
        form["Amount"] = line_money(effect.total)
    else:
        form["TotalAmt"] = money(effect.total)
    if entity == "BillPayment":
        form.pop("APAccountRef", None)  # was never recorded in an answer
    elif entity in ("Bill", "VendorCredit") and "APAccountRef" not in form:
        form["APAccountRef"] = books.reference("Account", {"value": books.system(PAYABLE)})
    return form, effect


def _capped(books: Books, form: JsonObject, effect: Effect, *, replaces: StoredObject | None) -> Effect:
    """What a line pays above the open amount stays unapplied on the payment."""
    own = books.ledger.settled
    lines = []
    for line, (_, target, cents) in zip(form["Line"], effect.settles, strict=True):
        free = abs(books.ledger.open[target, effect.party])
        if replaces is not None:
            free += own.get(target, {}).get(replaces.id, 0)
        if min(cents, free):
            lines.append({**line, "Amount": line_money(min(cents, free))})
    form["Line"] = lines
    return _resettled(effect, lines)


def _resettled(effect: Effect, lines: list[JsonObject]) -> Effect:
    """The same payment with other applications."""
    links = [(line["LinkedTxn"][0], to_cents(line["Amount"])) for line in lines]
    return replace(effect, settles=tuple((link["TxnType"], str(link["TxnId"]), cents) for link, cents in links))


def _entry(books: Books, entity: str, txn_id: str, form: JsonObject, effect: Effect) -> Entry:
    return Entry(
        entity=entity,
        txn_id=txn_id,
        party_id=effect.party,
        txn_date=form["TxnDate"],
        due_date=form.get("DueDate", ""),
        doc_number=form.get("DocNumber", ""),
        effect=effect,
        entered=books.now,
        signs=tuple([_sign(books, effect.party, kind, target) for kind, target, _ in effect.settles]),
    )


def _sign(books: Books, party: str, target_type: str, target: str) -> int:
    if target_type == "JournalEntry":
        # A journal entry can be a charge or a credit; which one shows in what it left open.
        return 1 if books.ledger.open[target, party] >= 0 else -1
    return -1 if target_type in _CREDITS else 1


def _check(books: Books, entry: Entry) -> None:
    """Refuse what the books cannot hold: links to nothing, over-application, receipts deposited twice."""
    left = -sum([cents for _, _, cents in entry.effect.exposures])
    wanted: dict[str, int] = {}
    for (target_type, target, cents), sign in zip(entry.effect.settles, entry.signs, strict=True):
        stored = books.transactions.get(target)
        if stored is None or stored.entity != target_type or target_type not in SETTLES[entry.entity]:
            raise _not_linkable()
        wanted[target] = wanted.get(target, 0) + cents
        if wanted[target] > sign * books.ledger.open[target, entry.party_id]:
            raise QboFault.business("The amount applied is more than the transaction's open balance.", element="Amount")
        left -= sign * cents
    if entry.entity in PAYERS and left < 0:
        raise QboFault.business("The amount applied is more than the amount of the payment.", element="TotalAmt")
    if entry.effect.deposits:
        _check_deposited(books, entry)


def _check_deposited(books: Books, entry: Entry) -> None:
    undeposited = books.system(UNDEPOSITED)
    posted = [-cents for account, cents in entry.effect.postings if account == undeposited]
    seen: set[str] = set()
    for receipt, cents in zip(entry.effect.deposits, posted, strict=False):
        stored = books.transactions.get(receipt)
        if stored is None:
            raise _not_linkable()
        held = sum([part for account, part in _entry_of(stored).effect.postings if account == undeposited])
        if receipt in books.ledger.deposited or receipt in seen or held != cents:
            raise QboFault.business("This receipt is not waiting to be deposited.", code="6540", element="LinkedTxn")
        seen.add(receipt)


def _not_linkable() -> QboFault:
    return QboFault.business("This transaction cannot be linked.", code="620", element="LinkedTxn")


def _replace_entry(books: Books, stored: StoredObject, new: tuple[JsonObject, Effect] | None) -> None:
    """Swap the entry in force, then bring up to date every document that this changed."""
    old = _entry_of(stored)
    before = {target: _computed(books, books.transactions[target]) for target in _targets(old)}
    books.ledger.retire(old, at=books.now)
    entry = None
    if new is not None:
        try:
            entry = _entry(books, stored.entity, stored.id, *new)
            _check(books, entry)
        except QboFault:
            books.ledger.reinstate(old)
            raise
        for target in _targets(entry):
            before.setdefault(target, _computed(books, books.transactions[target]))
        books.ledger.enter(entry)
        books.touch_around(entry)
    stored.entry = entry
    books.touch_around(old)
    if entry is not None:
        _give_back_overpayment(books, stored)
    for target, computed in before.items():
        if computed != _computed(books, books.transactions[target]):
            _refresh(books, books.transactions[target])


def _give_back_overpayment(books: Books, stored: StoredObject) -> None:
    """A document made smaller than what was paid on it returns the rest to its payments, newest first."""
    party = _entry_of(stored).party_id
    payers = books.ledger.settled.get(stored.id) or {}
    sign = -1 if stored.entity in _CREDITS else 1
    over = -sign * books.ledger.open[stored.id, party] if payers else 0
    for payer_id in sorted(payers, key=int, reverse=True):
        if over <= 0:
            break
        over -= _release(books, books.transactions[payer_id], stored.id, over)


def _release(books: Books, payer: StoredObject, target: str, cents: int) -> int:
    """Take up to these cents of a payment's application to a document back; returns how many."""
    lines, left = [], cents
    for line in payer.body["Line"]:
        amount = to_cents(line["Amount"])
        taken = min(left, amount) if str(line["LinkedTxn"][0]["TxnId"]) == target else 0
        left -= taken
        if amount > taken:
            lines.append({**line, "Amount": line_money(amount - taken)} if taken else line)
    old = _entry_of(payer)
    books.ledger.retire(old, at=books.now)
    kept = [index for index, line in enumerate(payer.body["Line"]) if _still_there(line, lines)]
    payer.entry = replace(
        old,
        effect=_resettled(old.effect, lines),
        signs=tuple(old.signs[index] for index in kept),
        entered=books.now,
        until=None,
    )
    books.ledger.enter(payer.entry)
    payer.change({"Line": lines, **_computed(books, payer)}, at=books.now)
    books.tell(payer, "Update")
    return cents - left


def _still_there(line: JsonObject, lines: list[JsonObject]) -> bool:
    return any(line["LinkedTxn"] is other["LinkedTxn"] for other in lines)


def _computed(books: Books, stored: StoredObject) -> JsonObject:
    """The properties of a transaction that other transactions change."""
    entity, txn_id, ledger = stored.entity, stored.id, books.ledger
    open_cents = ledger.open[txn_id, stored.entry.party_id] if stored.entry else 0
    found: JsonObject = {}
    if entity in ("Bill", "Invoice"):
        found["Balance"] = money(open_cents)
    elif entity in _CREDITS:
        found["Balance"] = money(-open_cents)
        if entity == "CreditMemo":
            found["RemainingCredit"] = found["Balance"]
    elif entity == "Payment":
        found["UnappliedAmt"] = money(-open_cents)
    elif entity in ("SalesReceipt", "RefundReceipt"):
        found["Balance"] = 0
    if entity in _LINKED:
        found["LinkedTxn"] = _links(books, txn_id)
    return found


def _links(books: Books, txn_id: str) -> list[JsonObject]:
    payers = books.ledger.settled.get(txn_id) or ()
    links = [{"TxnId": payer, "TxnType": LINK_NAME[books.transactions[payer].entity]} for payer in payers]
    if txn_id in books.ledger.deposited:
        links.append({"TxnId": books.ledger.deposited[txn_id], "TxnType": "Deposit"})
    return links


def _refresh(books: Books, stored: StoredObject) -> None:
    computed = _computed(books, stored)
    if computed:
        stored.change(computed, at=books.now)


def _targets(entry: Entry) -> Iterable[str]:
    """The transactions whose balance or links this one changes, each once."""
    return dict.fromkeys([*(target for _, target, _ in entry.effect.settles), *entry.effect.deposits])


def _names_party(entry: Entry, party_id: str) -> bool:
    return entry.party_id == party_id or any(party == party_id for _, party, _ in entry.effect.exposures)


def _with_party(body: JsonObject, merged: str, reference: Mapping[str, Any]) -> JsonObject:
    """The body with every reference to the merged party turned to the kept one."""
    return {key: _turned(value, merged, reference) if key in _PARTY_HOLDERS else value for key, value in body.items()}


def _turned(value: Any, merged: str, reference: Mapping[str, Any]) -> Any:
    if isinstance(value, list):
        return [_turned(part, merged, reference) for part in value]
    if not isinstance(value, Mapping):
        return value
    if value.get("value") == merged:
        return {**value, **reference}
    return {key: _turned(part, merged, reference) if key in _PARTY_HOLDERS else part for key, part in value.items()}
