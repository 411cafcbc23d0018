"""The state of a company's books: objects by entity, the ledger, name lists and the look-ups everything else needs.

Belongs here: lists, names, references, balances of list objects. Does not: transactions (``transactions.py``), what a
client may do (``company.py``).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal
from zoneinfo import ZoneInfo

from qbo_sandbox import lists
from qbo_sandbox.entities import BALANCE_SHEET, CLASSIFICATION, ENTITIES, NAME_LISTS, PARTIES
from qbo_sandbox.faults import QboFault
from qbo_sandbox.forms import PARTY
from qbo_sandbox.ledger import Entry, Ledger
from qbo_sandbox.money import money
from qbo_sandbox.objects import JsonObject, StoredObject
from qbo_sandbox.postings import PAYABLE, RECEIVABLE
from qbo_sandbox.wire import epoch_seconds

Operation = Literal["Create", "Update", "Delete", "Void", "Merge"]
_ID_SEQUENCE = {"Vendor": "party", "Customer": "party"}
_NAMED_BELOW_PARENT = ("Account", "Item")
_CONTROL = {"Accounts Payable": PAYABLE, "Accounts Receivable": RECEIVABLE}
# Keys that an update never drops: identity, and what the books compute.
KEPT_KEYS = frozenset(
    {
        "Id", "SyncToken", "MetaData", "domain", "sparse", "Balance", "BalanceWithJobs", "CurrentBalance",
        "CurrentBalanceWithSubAccounts", "LinkedTxn", "UnappliedAmt", "RemainingCredit", "TotalAmt",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class BookRules:
    """Answers to questions about QuickBooks that no source settles; each is a setting."""

    overpaying_line: Literal["refuse", "cap"] = "refuse"  # a payment line above the document's open amount
    delete_linked_code: Literal["6000", "620"] = "6000"  # deleting a bill that has a payment
    merge_touches_transactions: bool = True  # whether moved transactions get a new LastUpdatedTime


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a webhook tells: that something happened to an object, not what."""

    entity: str
    id: str
    operation: Operation
    at: int
    deleted_id: str | None = None


@dataclass(slots=True, kw_only=True)
class Books:
    """Everything one realm knows; answers what ``postings.Chart`` asks."""

    realm_id: str
    name: str
    zone: str
    start: datetime
    rules: BookRules = BookRules()
    ledger: Ledger = field(default_factory=Ledger)
    objects: dict[str, dict[str, StoredObject]] = field(init=False)
    gone: dict[str, dict[str, StoredObject]] = field(init=False)
    transactions: dict[str, StoredObject] = field(default_factory=dict)  # of every type: they share one id sequence
    watchers: list[Callable[[Change], None]] = field(default_factory=list)
    now: int = field(init=False)
    _zone: ZoneInfo = field(init=False, repr=False)
    _next_id: dict[str, int] = field(default_factory=dict, repr=False)
    _names: dict[tuple[str, str], str] = field(default_factory=dict, repr=False)
    _system: dict[str, str] = field(default_factory=dict, repr=False)
    _references: dict[tuple[str, str], JsonObject] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self._zone = ZoneInfo(self.zone)
        self.objects = {entity: {} for entity in ENTITIES}
        self.gone = {entity: {} for entity in ENTITIES}
        self.now = epoch_seconds(self.start)
        info = lists.company_info(name=self.name, zone=self.zone, start=self.day(self.start))
        for entity, body in (("CompanyInfo", info), ("Preferences", lists.preferences())):
            self.objects[entity]["1"] = StoredObject(entity=entity, body=body, at=self.now)

    # -- reading

    def find(self, entity: str, object_id: str) -> StoredObject | None:
        """The live object with this id."""
        return self.objects[entity].get(object_id)

    def body(self, stored: StoredObject) -> JsonObject:
        """The current body with its balances up to date."""
        if stored.stale:
            stored.settle(self._balances(stored))
        return stored.body

    def text(self, stored: StoredObject) -> str:
        """The serialised current body."""
        if stored.stale:
            stored.settle(self._balances(stored))
        return stored.text()

    def account_cents(self, account_id: str) -> int:
        """Account.CurrentBalance: debits less credits, the other way round for equity, 0 for income and expense."""
        kind = CLASSIFICATION[self.objects["Account"][account_id].body["AccountType"]]
        if kind not in BALANCE_SHEET:
            return 0
        cents = self.ledger.balances[account_id]
        return -cents if kind == "Equity" else cents

    # -- what the postings ask (see ``postings.Chart``)

    def system(self, subtype: str) -> str:
        """The account that plays a role, made when first needed."""
        found = self._system.get(subtype)
        if found is None:
            body = {**lists.SYSTEM_ACCOUNTS[subtype], "AccountSubType": subtype}
            found = self.create_list_object("Account", body).id
        return found

    def control(self, account_id: str) -> str | None:
        """Whether an account is A/P or A/R; refuses an account that does not exist."""
        account = self.objects["Account"].get(account_id)
        if account is None:
            raise QboFault.bad_reference(element="AccountRef", value=account_id)
        return _CONTROL.get(account.body["AccountType"])

    def item_account(self, item_id: str, *, field: str) -> str:
        """The account of an item on the income or expense side."""
        item = self.objects["Item"].get(item_id)
        account = (item.body.get(field) or {}).get("value") if item else None
        if account is None:
            raise QboFault.bad_reference(element="ItemRef", value=item_id)
        return str(account)

    def party_kind(self, party_id: str) -> str | None:
        """Vendor or Customer."""
        return next((entity for entity in PARTIES if party_id in self.objects[entity]), None)

    # -- lists

    def create_list_object(self, entity: str, body: Mapping[str, Any]) -> StoredObject:
        """Add an account, vendor, customer, item or term."""
        form = self._list_form(entity, body)
        key = _name_key(entity, form)
        if key in self._names:
            raise QboFault.duplicate_name(form[NAME_LISTS[entity]])
        form["Id"] = self.take_id(_ID_SEQUENCE.get(entity, entity))
        if entity == "Account":
            form["CurrentBalance"] = form["CurrentBalanceWithSubAccounts"] = 0
            self._system.setdefault(form["AccountSubType"], form["Id"])
        stored = StoredObject(entity=entity, body=form, at=self.now)
        self.objects[entity][stored.id] = stored
        self._names[key] = stored.id
        return stored

    def update_list_object(self, stored: StoredObject, body: Mapping[str, Any]) -> None:
        """Give a list object a new version; renaming and inactivating are such."""
        entity = stored.entity
        form = self._list_form(entity, body)
        self._refuse_own_descent(stored, form.get("ParentRef"))
        old, new = _name_key(entity, stored.body), _name_key(entity, form)
        if self._names.get(new, stored.id) != stored.id:
            raise QboFault.duplicate_name(form[NAME_LISTS[entity]])
        self._names.pop(old, None)
        self._names[new] = stored.id
        for key in [key for key in self._references if key[1] == stored.id]:
            del self._references[key]
        dropped = tuple(key for key in stored.body if key not in form and key not in KEPT_KEYS)
        stored.change(form, at=self.now, drop=dropped)

    def _list_form(self, entity: str, body: Mapping[str, Any]) -> JsonObject:
        return lists.list_form(
            entity, body, parent=lambda parent_id: self._parent(entity, parent_id), named=self.reference
        )

    def drop_list_object(self, stored: StoredObject) -> None:
        """Take a merged vendor or customer off its list."""
        entity = stored.entity
        del self.objects[entity][stored.id]
        self._names.pop(_name_key(entity, stored.body), None)
        stored.gone = stored.updated = self.now
        self.gone[entity][stored.id] = stored

    def _balances(self, stored: StoredObject) -> JsonObject:
        if stored.entity == "Account":
            own = self.account_cents(stored.id)
            return {"CurrentBalance": money(own), "CurrentBalanceWithSubAccounts": money(self._with_subs(stored))}
        if stored.entity == "Vendor":
            return {"Balance": money(self.ledger.parties[stored.id])}
        if stored.entity == "Customer":
            return {"Balance": money(self.ledger.parties[stored.id]), "BalanceWithJobs": money(self._with_subs(stored))}
        return {}

    def _with_subs(self, stored: StoredObject) -> int:
        own = self.account_cents(stored.id) if stored.entity == "Account" else self.ledger.parties[stored.id]
        below = (
            other
            for other in self.objects[stored.entity].values()
            if (other.body.get("ParentRef") or {}).get("value") == stored.id
        )
        return own + sum(self._with_subs(other) for other in below)

    # -- look-ups and notices

    def begin(self, at: datetime) -> None:
        """Set the instant at which the next change is entered."""
        self.now = epoch_seconds(at)

    def day(self, at: datetime) -> str:
        """The company's calendar day of an instant."""
        return at.astimezone(self._zone).date().isoformat()

    def peek_id(self, sequence: str) -> str:
        """The next id of a sequence, not yet taken."""
        return str(self._next_id.get(sequence, 1))

    def take_id(self, sequence: str) -> str:
        """The next id of a sequence, taken."""
        number = self._next_id.get(sequence, 1)
        self._next_id[sequence] = number + 1
        return str(number)

    def existing(self, entity: str, object_id: str) -> StoredObject:
        """The live object with this id; refuses one that is not there."""
        found = self.objects[entity].get(object_id)
        if found is None:
            raise QboFault.not_found(entity=entity, txn_id=object_id)
        return found

    def _parent(self, entity: str, parent_id: str) -> JsonObject:
        found = self.objects[entity].get(parent_id)
        if found is None:
            raise QboFault.bad_reference(element="ParentRef", value=parent_id)
        return found.body

    def _refuse_own_descent(self, stored: StoredObject, parent: Mapping[str, Any] | None) -> None:
        """Refuse a parent that is the object itself or stands below it."""
        while parent is not None:
            above = self._parent(stored.entity, str(parent["value"]))
            if above["Id"] == stored.id:
                raise QboFault.business("An object cannot stand below itself.", element="ParentRef")
            parent = above.get("ParentRef")

    def reference(self, kind: str, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """A reference with the name of what it points at; refuses one that points nowhere."""
        if "value" not in given:
            return given
        value = str(given["value"])
        named = self._references.get((kind, value))
        if named is None:
            entity = self.party_kind(value) or "Vendor" if kind == PARTY else kind
            found = self.objects.get(entity, {}).get(value)
            if found is None:
                raise QboFault.bad_reference(element=f"{kind}Ref", value=value)
            name_field = "FullyQualifiedName" if entity == "Account" else NAME_LISTS[entity]
            named = {"value": value, "name": found.body[name_field]}
            if kind == PARTY:
                named["type"] = entity
            self._references[kind, value] = named
        return named

    def due_days(self, term: Mapping[str, Any]) -> int | None:
        """The days a term allows; None for terms that go by the day of the month."""
        found = self.objects["Term"].get(str(term.get("value")))
        if found is None:
            raise QboFault.bad_reference(element="SalesTermRef", value=term.get("value"))
        days = found.body.get("DueDays")
        return int(days) if isinstance(days, int | Decimal) else None

    def tell(self, stored: StoredObject, operation: Operation, *, deleted_id: str | None = None) -> None:
        """Tell the watchers of a change."""
        if self.watchers:
            change = Change(
                entity=stored.entity, id=stored.id, operation=operation, at=stored.updated, deleted_id=deleted_id
            )
            for watcher in self.watchers:
                watcher(change)

    def touch_around(self, entry: Entry) -> None:
        """Move LastUpdatedTime of every account and party whose balance an entry moves."""
        accounts = self.objects["Account"]
        for account_id, _ in entry.effect.postings:
            self._touch_up("Account", accounts[account_id])
        for _, party_id, _ in entry.effect.exposures:
            kind = self.party_kind(party_id)
            if kind is not None:
                self._touch_up(kind, self.objects[kind][party_id])

    def _touch_up(self, entity: str, stored: StoredObject) -> None:
        stored.touch(self.now)
        parent = stored.body.get("ParentRef")
        if parent:
            self._touch_up(entity, self.objects[entity][parent["value"]])


def _name_key(entity: str, body: Mapping[str, Any]) -> tuple[str, str]:
    """What no two live objects share: one name among all parties, and among accounts or items below one parent."""
    space = "party" if entity in PARTIES else entity
    if entity in _NAMED_BELOW_PARENT and body.get("ParentRef"):
        space = f"{space} {body['ParentRef']['value']}"
    return space, str(body[NAME_LISTS[entity]]).casefold()
