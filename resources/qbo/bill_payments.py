"""Bill payments in one company's QuickBooks: looking at a bill, finding what was recorded, recording a payment, voiding one.

Belongs here: the calls and what their answers hold. Does not: when to send, what an answer means for a payment (`payments/`).

A look is a metered read; it waits and is tried again like everything a person waits for. A write is sent once and by nobody else:
whether to send again is decided by the ledger, after a look.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx
import simplejson

from resources.qbo import exact_json
from resources.qbo.answers import Page, RawAnswer, single_object
from resources.qbo.client import MINOR_VERSION, QboClient, company_path
from resources.qbo.company_line import CompanyLine
from resources.qbo.entities import BadObject, parse
from resources.qbo.errors import QboAuthExpired
from resources.qbo.exact_json import NotJson, Reader
from resources.qbo.fields import QboObject
from resources.qbo.home_currency import cents
from resources.qbo.patience import Patience, Tally
from resources.qbo.query import MOST_RESULTS, compare, one_of, select
from resources.qbo.token_keeper import TokenKeeper
from resources.qbo.transactions import Bill, BillPayment, VendorCredit
from resources.secret_text import Secret
from resources.tenants import TenantId

#: The request body is on its way: from here on only a look tells whether QuickBooks has it.
_BODY_SENT = "http11.send_request_body.complete"
#: Records asked for at a time. No more of one number are ever looked at; two are too many already.
_MOST_FOUND = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedPayment:
    """A bill payment that QuickBooks has; amounts in cents, `total_cents` is 0 once it was voided."""

    remote_id: str
    sync_token: str
    doc_number: str
    vendor_id: str
    total_cents: int
    #: Bill ids with what was applied to each.
    bills: Mapping[str, int]
    recorded_at: datetime


class PaymentClient(QboClient):
    """The raw calls that write bill payments; everything else is a client's."""

    def create_payment(
        self, body: bytes, *, request_id: str, realm_id: str, access_token: Secret, on_sent: Callable[[], None]
    ) -> RawAnswer:
        """Send one bill payment once; `on_sent` is called when its last byte has left."""

        def trace(name: str, _info: Mapping[str, Any]) -> None:
            if name == _BODY_SENT:
                on_sent()

        request = self._payment_request(body, realm_id=realm_id, parameters={"requestid": request_id})
        request.extensions = {**request.extensions, "trace": trace}
        return self._send(request, call="recording a bill payment", access_token=access_token)

    def void_payment(self, body: bytes, *, realm_id: str, access_token: Secret) -> RawAnswer:
        """Void one bill payment."""
        request = self._payment_request(body, realm_id=realm_id, parameters={"operation": "update", "include": "void"})
        return self._send(request, call="voiding a bill payment", access_token=access_token)

    def _payment_request(self, body: bytes, *, realm_id: str, parameters: Mapping[str, str]) -> httpx.Request:
        return self._http.build_request(
            "POST",
            f"{company_path(realm_id)}/billpayment",
            params={**parameters, "minorversion": MINOR_VERSION},
            content=body,
            headers={"Content-Type": "application/json"},
        )


class BillPayments:
    """The bill payments of one tenant's company; `tally` counts the metered reads."""

    def __init__(self, tenant: TenantId, *, client: PaymentClient, tokens: TokenKeeper, patience: Patience) -> None:
        self._tenant = tenant
        self._client = client
        self._tokens = tokens
        self._line = CompanyLine(tenant, client=client, tokens=tokens, patience=patience)
        self._access = tokens.access_token(tenant)
        self.tally = Tally()
        #: QuickBooks' own time in the newest answer that named it.
        self.server_time: datetime | None = None

    def bills(self, bill_ids: Sequence[str]) -> dict[str, Bill]:
        """These bills as they are now, by id; one that is gone is missing."""
        return {one.id: one for one in self._of_ids("Bill", bill_ids) if isinstance(one, Bill)}

    def credits(self, credit_ids: Sequence[str]) -> dict[str, VendorCredit]:
        """These vendor credits as they are now, by id; one that is gone is missing."""
        return {one.id: one for one in self._of_ids("VendorCredit", credit_ids) if isinstance(one, VendorCredit)}

    def _of_ids(self, entity: str, ids: Sequence[str]) -> list[QboObject]:
        """Those of these ids that there are, however many: an answer holds no more than is asked for at a time."""
        found: list[QboObject] = []
        for start in range(0, len(ids), _MOST_FOUND):
            asked = ids[start : start + _MOST_FOUND]
            where = compare("Id", "=", asked[0]) if len(asked) == 1 else one_of("Id", asked)
            found += [parse(entity, text) for text in self._read(entity, where).objects]
        return found

    def find(self, doc_number: str) -> list[RecordedPayment]:
        """Every payment with this number, voided ones too."""
        page = self._read("BillPayment", compare("DocNumber", "=", doc_number))
        return [_recorded(text) for text in page.objects]

    def marked(self, marker: str, *, since: datetime) -> list[RecordedPayment]:
        """Every payment recorded since an instant whose number begins with a marker, in the order of their ids.

        Raises:
            BadObject: one of them cannot be read. What others have entered and nobody can read is left out.
        """
        where, found, start = compare("MetaData.CreateTime", ">=", since), [], 1
        while True:
            statement = select(
                "BillPayment", where=[where], order_by=["MetaData.CreateTime", "Id"], start=start, most=MOST_RESULTS
            )
            page = self._line.query(statement, self.tally)
            self.server_time = page.time or self.server_time
            found += [one for text in page.objects if (one := _marked(text, marker)) is not None]
            if len(page.objects) < MOST_RESULTS:
                return found
            start += MOST_RESULTS

    def _read(self, entity: str, where: Any) -> Page:
        page = self._line.query(select(entity, where=[where], order_by=["Id"], most=_MOST_FOUND), self.tally)
        self.server_time = page.time or self.server_time
        return page

    def ask_time(self) -> datetime | None:
        """QuickBooks' own time now, if it names one; one metered read of nothing."""
        return self._read("Bill", compare("Id", "=", "0")).time

    def make_ready(self) -> None:
        """Have a token that lives through the next write, so that nothing but the write itself is left to do."""
        self._access = self._tokens.still_fresh(self._access)

    def record(self, body: bytes, *, request_id: str, on_sent: Callable[[], None]) -> RecordedPayment:
        """Record a payment with exactly these bytes, sent once.

        Raises:
            QboAuthExpired: the token was not accepted; the next write has another one.
            QboUnavailable: whether QuickBooks has it is not known.
            QboError: QuickBooks answered something else.
        """
        try:
            answer = self._client.create_payment(
                body,
                request_id=request_id,
                realm_id=self._access.realm_id,
                access_token=self._access.access_token,
                on_sent=on_sent,
            )
            return _recorded(single_object(answer, entity="BillPayment").objects[0])
        except QboAuthExpired:
            self._access = self._tokens.renewed(self._tenant, rejected=self._access)
            raise

    def void(self, payment: RecordedPayment) -> RecordedPayment:
        """Void a payment as it was last seen: the record stays, with nothing in it."""
        self.make_ready()
        body = {"Id": payment.remote_id, "SyncToken": payment.sync_token, "sparse": True}
        answer = self._client.void_payment(
            simplejson.dumps(body).encode(), realm_id=self._access.realm_id, access_token=self._access.access_token
        )
        return _recorded(single_object(answer, entity="BillPayment").objects[0])


def _marked(text: str, marker: str) -> RecordedPayment | None:
    """The payment of a text if its number begins with the marker."""
    try:
        payment = _recorded(text)
    except BadObject:
        if _may_be_marked(text, marker):
            raise
        return None
    return payment if payment.doc_number.startswith(marker) else None


def _may_be_marked(text: str, marker: str) -> bool:
    """Whether the number in a text that is no payment begins with the marker, as far as that can be told."""
    reader = Reader(text)
    try:
        # Each of them: a key that occurs twice is one of the reasons why a text is no payment.
        values = [(key, reader.take()) for key in reader.members()]
        numbers = [exact_json.load(value) for key, value in values if key == "DocNumber"]
    except NotJson:
        return marker in text
    return any(isinstance(number, str) and number.startswith(marker) for number in numbers)


def _recorded(text: str) -> RecordedPayment:
    payment = parse("BillPayment", text)
    assert isinstance(payment, BillPayment), "what was asked for"
    links = [(line, line.linked_txn[0]) for line in payment.line if line.linked_txn]
    return RecordedPayment(
        remote_id=payment.id,
        sync_token=payment.sync_token or "",
        doc_number=payment.doc_number or "",
        vendor_id=payment.vendor_ref.value,
        total_cents=cents(payment.total_amt),
        bills={link.txn_id: cents(line.amount) for line, link in links if link.txn_type == "Bill"},
        recorded_at=payment.meta_data.create_time,
    )
