"""What an HTTP answer of QuickBooks means: the objects in it, or the one error it stands for.

Belongs here: envelopes, faults, classification. Does not: sending (`client.py`), trying again (`patience.py`),
the objects' fields (`entities.py`).

The status decides first, then the fault code, then the type of the body: throttle faults have arrived as XML although
JSON was asked for, proxies answer HTML with status 200, and a fault can sit in a 200.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from resources.qbo import exact_json
from resources.qbo.errors import (
    QboAuthExpired,
    QboContradiction,
    QboError,
    QboNotAuthorised,
    QboQuotaExhausted,
    QboRefused,
    QboThrottled,
    QboUnavailable,
    meaning,
)
from resources.qbo.exact_json import NotJson, Reader

_OK = 200
_UNAUTHORISED, _FORBIDDEN, _TIMED_OUT, _THROTTLED, _SERVER_ERRORS = 401, 403, 408, 429, 500
_REDIRECTS = range(300, 400)

_EXPIRED_CODES = frozenset({"3200"})
_NOT_AUTHORISED_CODES = frozenset({"120", "3100"})
_THROTTLE_CODES = frozenset({"3001"})

_FAULTS = frozenset({"Fault", "fault"})
_CODE = re.compile(r"[0-9]{1,8}")
_XML_CODE = re.compile(r"""<Error\b[^>]*?\bcode\s*=\s*["']([0-9]{1,8})["']""")
_TID = re.compile(r"[0-9A-Za-z-]{1,80}")
_MILLISECONDS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The objects of one answer, each with its exact JSON text; `time` is the server's clock, if it said so."""

    entity: str
    objects: tuple[str, ...]
    time: datetime | None
    intuit_tid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What changed of each kind asked for, each object with its exact JSON text, deleted ones as notices."""

    objects: Mapping[str, tuple[str, ...]]
    time: datetime | None
    intuit_tid: str

    @property
    def size(self) -> int:
        """How many objects came in all: QuickBooks cuts an answer off without saying so."""
        return sum(len(found) for found in self.objects.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class RawAnswer:
    """Status, lower-case headers and body text of an answer to `call`, our words for what was asked."""

    call: str
    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def intuit_tid(self) -> str:
        """The id that Intuit's support asks for; empty if there is none of a sane form."""
        tid = self.headers.get("intuit_tid", "")
        return tid if _TID.fullmatch(tid) else ""

    @property
    def reference(self) -> str:
        """How a message points at this answer."""
        return f" (intuit_tid {self.intuit_tid})" if self.intuit_tid else ""


def query_page(answer: RawAnswer, *, entity: str) -> Page:
    """The objects of a query's answer; an empty `QueryResponse` is an empty page."""
    return _page(answer, entity=entity, envelope="QueryResponse")


def single_object(answer: RawAnswer, *, entity: str) -> Page:
    """The one object of a read by address."""
    page = _page(answer, entity=entity, envelope="")
    if len(page.objects) != 1:
        raise QboContradiction(
            what=f"{answer.call} was answered without a {entity}{answer.reference}.",
            next_step="Run it again; if it repeats, report it to Intuit with that id.",
            intuit_tid=answer.intuit_tid,
        )
    return page


def counted(answer: RawAnswer) -> int:
    """The number that a `COUNT(*)` was answered with."""
    if answer.status != _OK:
        raise failure(answer)
    try:
        found = _member(_member(exact_json.load(answer.text), "QueryResponse"), "totalCount")
    except NotJson as error:
        raise unavailable(answer, because=f"its answer is cut or no JSON ({error})") from error
    if not isinstance(found, Decimal) or found < 0 or found != found.to_integral_value():
        raise unavailable(answer, because="its answer holds no count")
    return int(found)


def changes(answer: RawAnswer, *, entities: Sequence[str]) -> Changes:
    """What changed, by kind; an answer that leaves a kind out altogether could hide its changes and is refused."""
    if answer.status != _OK:
        raise failure(answer)
    reader = Reader(answer.text)
    found: dict[str, list[str]] = {entity: [] for entity in entities}
    time: datetime | None = None
    parts = 0
    try:
        for key in reader.members():
            if key == "time":
                time = _server_time(exact_json.load(reader.take()))
            elif key == "CDCResponse":
                for _ in reader.elements():
                    parts += _collect_changes(reader, found, answer)
            elif key in _FAULTS:
                raise failure(answer)
            else:
                reader.take()
        reader.finish()
    except NotJson as error:
        raise unavailable(answer, because=f"its answer is cut or no JSON ({error})") from error
    if parts != len(entities):
        raise QboContradiction(
            what=f"{answer.call} was answered for {parts} kinds instead of {len(entities)}{answer.reference}.",
            next_step="Run it again; if it repeats, report it to Intuit with that id.",
            intuit_tid=answer.intuit_tid,
        )
    return Changes(
        objects={entity: tuple(texts) for entity, texts in found.items()}, time=time, intuit_tid=answer.intuit_tid
    )


def _collect_changes(reader: Reader, found: dict[str, list[str]], answer: RawAnswer) -> int:
    parts = 0
    for key in reader.members():
        if key in _FAULTS:
            raise failure(answer)
        if key != "QueryResponse":
            reader.take()
            continue
        for _ in reader.elements():
            parts += 1
            for entity in reader.members():
                if entity in found and reader.peek() == "[":
                    for _ in reader.elements():
                        found[entity].append(reader.take())
                elif entity in _FAULTS:
                    raise failure(answer)
                else:
                    reader.take()
    return parts


def _page(answer: RawAnswer, *, entity: str, envelope: str) -> Page:
    if answer.status != _OK:
        raise failure(answer)
    reader = Reader(answer.text)
    objects: list[str] = []
    time: datetime | None = None
    answered = not envelope
    try:
        for key in reader.members():
            if key == "time":
                time = _server_time(exact_json.load(reader.take()))
            elif envelope and key == envelope:
                answered = True
                _collect(reader, entity, objects)
            elif not envelope and key == entity:
                objects.append(reader.take())
            elif key in _FAULTS:
                raise failure(answer)
            else:
                reader.take()
        reader.finish()
    except NotJson as error:
        raise unavailable(answer, because=f"its answer is cut or no JSON ({error})") from error
    if not answered:
        raise unavailable(answer, because=f"its answer holds no {envelope}")
    return Page(entity=entity, objects=tuple(objects), time=time, intuit_tid=answer.intuit_tid)


def _collect(reader: Reader, entity: str, objects: list[str]) -> None:
    for key in reader.members():
        if key == entity and reader.peek() == "[":
            for _ in reader.elements():
                objects.append(reader.take())
        else:
            reader.take()


def failure(answer: RawAnswer) -> QboError:
    """The one error that an answer other than success stands for."""
    codes = fault_codes(answer.text)
    status = answer.status
    if status == _THROTTLED or _THROTTLE_CODES.intersection(codes):
        return _throttled(answer, codes)
    if status == _UNAUTHORISED or _EXPIRED_CODES.intersection(codes):
        return QboAuthExpired(
            what=f"QuickBooks did not accept the access token for {answer.call}{answer.reference}.",
            next_step="It is refreshed and tried once more; if this stays, connect the tenant again.",
            codes=codes,
            intuit_tid=answer.intuit_tid,
        )
    if _NOT_AUTHORISED_CODES.intersection(codes) or (status == _FORBIDDEN and not codes):
        return QboNotAuthorised(
            what=f"QuickBooks does not allow {answer.call} on this company: {meaning(codes)}{answer.reference}.",
            next_step="Check that the right company is connected and that the user who connected still has access.",
            codes=codes,
            intuit_tid=answer.intuit_tid,
        )
    if status >= _SERVER_ERRORS or status == _TIMED_OUT:
        return unavailable(answer, because=f"it answered {status}", codes=codes)
    if status in _REDIRECTS:
        return QboRefused(
            what=f"QuickBooks answered {answer.call} with a redirect, which is never followed{answer.reference}.",
            next_step="Check the address of QuickBooks in the settings.",
            intuit_tid=answer.intuit_tid,
        )
    return QboRefused(
        what=f"QuickBooks refused {answer.call}: {meaning(codes)}, status {status}{answer.reference}.",
        next_step="If the code names a state of the company, change it there; else report it with the intuit_tid.",
        codes=codes,
        intuit_tid=answer.intuit_tid,
    )


def unavailable(answer: RawAnswer, *, because: str, codes: tuple[str, ...] = ()) -> QboUnavailable:
    """An answer that says nothing about what was asked."""
    return QboUnavailable(
        what=f"QuickBooks is not available for {answer.call}: {because}{answer.reference}.",
        next_step="Nothing was changed; run it again later. https://status.developer.intuit.com shows outages.",
        codes=codes,
        intuit_tid=answer.intuit_tid,
    )


def _throttled(answer: RawAnswer, codes: tuple[str, ...]) -> QboError:
    if "quota" in answer.text.lower():
        return QboQuotaExhausted(
            what=f"The app's monthly quota of metered reads is used up{answer.reference}.",
            next_step="Reads work again next month, or at once on a higher tier of Intuit's partner program.",
            codes=codes,
            intuit_tid=answer.intuit_tid,
        )
    given = answer.headers.get("retry-after", "")
    seconds = float(int(given[:9])) if given.isascii() and given.isdigit() else None
    asked = "" if seconds is None else f" for {seconds:,.0f} seconds"
    error = QboThrottled(
        what=f"QuickBooks asked to slow down{asked} at {answer.call}{answer.reference}.",
        next_step="Run it again in some minutes; if it never clears, the app's monthly quota of reads is used up.",
        codes=codes,
        intuit_tid=answer.intuit_tid,
    )
    error.retry_after = seconds
    return error


def fault_codes(text: str) -> tuple[str, ...]:
    """The fault codes of a body, be it the service's JSON, the gateway's JSON or XML; empty if there are none."""
    if text.lstrip()[:1] == "<":
        # Two attributes are wanted from a text of unknown origin: a pattern, not an XML parser with its entities.
        return tuple(_XML_CODE.findall(text))
    try:
        body = exact_json.load(text)
    except NotJson:
        return ()
    fault = _member(body, "Fault", "fault")
    errors = _member(fault, "Error", "error")
    codes = [_member(error, "code") for error in errors] if isinstance(errors, list) else []
    return tuple(code for code in codes if isinstance(code, str) and _CODE.fullmatch(code))


def _member(value: Any, *names: str) -> Any:
    if not isinstance(value, dict):
        return None
    return next((value[name] for name in names if name in value), None)


def _server_time(value: Any) -> datetime | None:
    """The envelope's `time`: ISO text from the service, milliseconds of the epoch from the gateway."""
    try:
        if isinstance(value, Decimal):
            return datetime.fromtimestamp(float(value) / _MILLISECONDS, tz=UTC)
        parsed = datetime.fromisoformat(value)
        return None if parsed.tzinfo is None else parsed.astimezone(UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None  # the clock of an answer is a courtesy; without it ours counts
