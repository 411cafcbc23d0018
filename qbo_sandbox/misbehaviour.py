"""Carrying out planned faults around a request.

Belongs here: waiting, refusing, dropping, spoiling. Does not: which fault hits (``fault_plan.py``), the request's own
work.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from qbo_sandbox.envelopes import HTML, Answer, fault_answer, gateway_answer
from qbo_sandbox.fault_plan import AFTER, BEFORE, FaultSpec
from qbo_sandbox.faults import QboFault
from qbo_sandbox.transport import Dropped

_HTML_PAGE = (
    b"<!DOCTYPE html><html><head><title>Service Unavailable</title></head><body><h1>We are sorry</h1></body></html>"
)
_SERVICE_UNAVAILABLE = 503


@dataclass(frozen=True, slots=True)
class Drop:
    """The connection ends without an answer."""


Outcome = Answer | Drop


async def carry_out_with_faults(
    specs: Sequence[FaultSpec],
    *,
    request: Request,
    now: datetime,
    throttled: Callable[[], Answer],
    work: Callable[[], Awaitable[Answer]],
) -> Outcome:
    """The outcome of a request that these faults hit; without any, its own answer."""
    for spec in specs:
        if spec.kind in ("latency", "slow_then_commit"):
            await asyncio.sleep(spec.seconds)
            if spec.kind == "latency" and await request.is_disconnected():
                return Drop()
    before = next((spec for spec in specs if spec.kind in BEFORE), None)
    if before is not None:
        return _refused(before, now=now, throttled=throttled)
    answer = await work()
    if any(spec.kind == "double_delivery" for spec in specs):
        await work()
    return _spoiled(answer, next((spec for spec in specs if spec.kind in AFTER), None), now=now)


def _refused(spec: FaultSpec, *, now: datetime, throttled: Callable[[], Answer]) -> Outcome:
    if spec.kind == "drop_before":
        return Drop()
    if spec.kind == "html_body":
        return Answer(status=spec.status, body=_HTML_PAGE, content_type=HTML)
    if spec.kind == "throttle_storm":
        return throttled()
    if spec.kind == "unauthorized":
        return gateway_answer("AuthenticationFailed", detail="Token expired: withheld", now=now)
    return _broken(_SERVICE_UNAVAILABLE if spec.kind == "http_503" else 500, now=now)


def _spoiled(answer: Answer, spec: FaultSpec | None, *, now: datetime) -> Outcome:
    """What a planned fault makes of a finished answer."""
    if spec is None:
        return answer
    if spec.kind == "drop_after":
        return Drop()
    if spec.kind == "truncated_json":
        return replace(answer, body=answer.body[: len(answer.body) // 2])
    return _broken(_SERVICE_UNAVAILABLE if spec.kind == "http_503_after" else 500, now=now)


def _broken(status: int, *, now: datetime) -> Answer:
    if status == _SERVICE_UNAVAILABLE:
        # Maintenance is answered in front of the service, without a fault object.
        return Answer(status=status, body=b"Service Unavailable", content_type="text/plain")
    fault = QboFault(
        code="10000",
        message="An application error has occurred while processing your request",
        detail="System Failure Error: Internal error",
        status=status,
        kind="SystemFault",
    )
    return fault_answer(fault, now=now)


def response(outcome: Outcome, *, headers: dict[str, str] | None = None) -> Response | Dropped:
    """An outcome as the web framework sends it."""
    if isinstance(outcome, Drop):
        return Dropped()
    return Response(
        content=outcome.body,
        status_code=outcome.status,
        headers={**(headers or {}), **outcome.headers, "Content-Type": outcome.content_type},
    )
