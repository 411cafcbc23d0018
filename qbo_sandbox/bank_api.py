"""The bank's interface under ``/bank/{realm}``, with the same misbehaviours as the books, and its control interface.

Belongs here: reading requests, keys, answers. Does not: what an instruction is (``bank.py``).
"""

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from qbo_sandbox.envelopes import JSON, Answer
from qbo_sandbox.faults import QboFault
from qbo_sandbox.misbehaviour import carry_out_with_faults, response
from qbo_sandbox.sandbox import Sandbox
from qbo_sandbox.transport import Dropped
from qbo_sandbox.wire import to_json

KEY = "sandbox-bank"


class Order(BaseModel):
    """What a client may tell the bank."""

    model_config = ConfigDict(extra="ignore")

    amount_cents: int = Field(gt=0)
    account_ending: str = Field(min_length=4, max_length=4)


class GivenBack(BaseModel):
    """Which instruction comes back, and why."""

    model_config = ConfigDict(extra="forbid")

    id: str
    because: str = "account closed"


async def instructions(request: Request) -> Response | Dropped:
    """Take an instruction, or find those of a key."""
    sandbox: Sandbox = request.app.state.sandbox
    realm, now = request.path_params["realm"], sandbox.clock.now()
    body = await request.body()
    striking = sandbox.faults.striking(
        realm, method=request.method, path=request.url.path, query=request.url.query, now=now
    )

    async def work() -> Answer:
        if request.headers.get("authorization") != f"Bearer {KEY}":
            return _answer(401, {"error": "the bank does not know this key"})
        if sandbox.realms.get(realm) is None:
            return _answer(404, {"error": f"no company {realm} is served here"})
        if request.method == "GET":
            found = sandbox.bank.of(realm, key=request.query_params.get("key", ""))
            return _answer(200, {"instructions": [one.to_json(now=now) for one in found]})
        return _take(sandbox, realm, key=request.headers.get("idempotency-key", ""), body=body)

    def throttled() -> Answer:
        return _answer(429, {"error": "too many requests"})

    return response(await carry_out_with_faults(striking, request=request, now=now, throttled=throttled, work=work))


def _take(sandbox: Sandbox, realm: str, *, key: str, body: bytes) -> Answer:
    found = sandbox.realms.get(realm)
    assert found is not None, "asked before"
    now, ids, mine = sandbox.clock.now(), sandbox.request_ids, f"bank {realm}"
    try:
        earlier = ids.earlier(mine, key, body, is_batch=False, now=now.timestamp(), settings=found.settings)
    except QboFault as fault:
        return _answer(409, {"error": fault.message})
    if earlier is not None:
        return earlier
    order = Order.model_validate_json(body)
    made = sandbox.bank.accept(
        realm, key=key, amount_cents=order.amount_cents, account_ending=order.account_ending, at=now
    )
    answer = _answer(201, made.to_json(now=now))
    ids.remember(mine, key, body, answer, now=now.timestamp())
    return answer


async def all_instructions(request: Request) -> Response:
    """Control: every instruction of a company; with POST, one comes back."""
    sandbox: Sandbox = request.app.state.sandbox
    realm, now = request.path_params["realm"], sandbox.clock.now()
    if request.method == "POST":
        asked = GivenBack.model_validate_json(await request.body())
        if sandbox.bank.give_back(realm, asked.id, because=asked.because) is None:
            return JSONResponse({"error": f"no instruction {asked.id}"}, status_code=404)
    return JSONResponse([one.to_json(now=now) for one in sandbox.bank.of(realm)])


def _answer(status: int, content: object) -> Answer:
    return Answer(status=status, body=to_json(content).encode(), content_type=JSON)


ROUTES = [
    Route("/bank/{realm}/instructions", instructions, methods=["GET", "POST"]),
    Route("/__sandbox__/realms/{realm}/bank", all_instructions, methods=["GET", "POST"]),
]
