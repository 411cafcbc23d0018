"""The control interface under ``/__sandbox__``: companies, faults, settings, time, truth, log. No QuickBooks has it.

Belongs here: reading a control request and answering it. Does not: what it controls.
"""

import time
from collections import Counter
from dataclasses import asdict
from datetime import date, datetime, timedelta
from random import Random
from typing import Any, cast, get_args

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, field_validator
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from qbo_sandbox.fault_plan import AUTHORISATION_SERVER, EVERY_REALM, FaultSpec
from qbo_sandbox.faults import QboFault
from qbo_sandbox.living import deeds as known_deeds
from qbo_sandbox.living import next_operation
from qbo_sandbox.operations import Operation, parse_json
from qbo_sandbox.realms import Realm, RealmTakenError
from qbo_sandbox.sandbox import Sandbox
from qbo_sandbox.settings import AppSettings, RealmSettings
from qbo_sandbox.spec import BadSpecError, spec_from_json
from qbo_sandbox.truth import Basis, cash_by_day, truth
from qbo_sandbox.webhooks import Subscription
from qbo_sandbox.wire import to_json


class RefusedControl(Exception):
    """A control request that cannot be carried out."""

    def __init__(self, status: int, what: str) -> None:
        super().__init__(what)
        self.status = status


class ClockMove(BaseModel):
    """How to move the sandbox's time."""

    model_config = ConfigDict(extra="forbid")

    now: AwareDatetime | None = None
    advance_seconds: float | None = Field(default=None, ge=0)
    frozen: bool | None = None


class Step(BaseModel):
    """How long a company lives on: ``operations`` a day, drawn from the seed, or these deeds in this order."""

    model_config = ConfigDict(extra="forbid")

    days: int = Field(ge=1, le=400)
    seed: int
    operations: int = Field(default=12, ge=1, le=1000)
    deeds: list[str] = Field(default_factory=list, max_length=1000)
    move_clock: bool = True  # False: everything is entered now

    @field_validator("deeds")
    @classmethod
    def _known(cls, deeds: list[str]) -> list[str]:
        unknown = sorted(set(deeds) - set(known_deeds()))
        if unknown:
            raise ValueError(f"no deeds are called {', '.join(unknown)}: choose from {', '.join(known_deeds())}")
        return deeds


class Touch(BaseModel):
    """An object whose LastUpdatedTime is to be moved, also into the future."""

    model_config = ConfigDict(extra="forbid")

    entity: str
    id: str
    at: AwareDatetime


class WebhookTarget(BaseModel):
    """Where notifications go; each is sent ``copies`` times."""

    model_config = ConfigDict(extra="forbid")

    url: str
    verifier_token: str
    copies: int = Field(default=1, ge=1)


def _sandbox(request: Request) -> Sandbox:
    found: Sandbox = request.app.state.sandbox
    return found


def _realm(request: Request) -> Realm:
    realm_id = request.path_params["realm"]
    found = _sandbox(request).realms.get(realm_id)
    if found is None:
        raise RefusedControl(404, f"no company {realm_id} is served here")
    return found


async def _body(request: Request) -> dict[str, Any]:
    raw = await request.body()
    found = parse_json(raw) if raw else {}
    if not isinstance(found, dict):
        raise RefusedControl(400, "a JSON object is expected")
    return found


def _exact(content: object, *, status: int = 200) -> Response:
    return Response(to_json(content), status_code=status, media_type="application/json")


async def refused(request: Request, error: Exception) -> Response:
    """Say in one line what is wrong with a control request; anywhere else the error is a bug of this program."""
    if not request.url.path.startswith("/__sandbox__/"):
        raise error
    if isinstance(error, RefusedControl):
        return JSONResponse({"error": str(error)}, status_code=error.status)
    if isinstance(error, RealmTakenError):
        return JSONResponse({"error": str(error)}, status_code=409)
    return JSONResponse({"error": str(error)}, status_code=400)


async def add_company(request: Request) -> Response:
    """Serve one more company; the same spec again changes nothing."""
    spec = spec_from_json(await _body(request))
    created = _sandbox(request).realms.register(spec)
    return _exact(spec.to_json(), status=201 if created else 200)


async def companies(request: Request) -> Response:
    """The specs of all companies."""
    realms = _sandbox(request).realms
    found = [realms.get(realm_id) for realm_id in realms.ids()]
    return _exact([realm.spec.to_json() for realm in found if realm is not None])


async def forget(request: Request) -> Response:
    """Serve a company no longer; its realm id is free again."""
    realm = _realm(request)
    sandbox = _sandbox(request)
    sandbox.authorisations.disconnect(realm.spec.realm_id)
    sandbox.faults.clear(realm.spec.realm_id)
    sandbox.request_ids.forget(realm.spec.realm_id)
    sandbox.realms.forget(realm)
    return Response(status_code=204)


async def build(request: Request) -> Response:
    """Build a company's books now instead of at its first request."""
    company = await _sandbox(request).realms.company(_realm(request))
    return _exact({entity: len(objects) for entity, objects in company.objects.items()})


async def add_fault(request: Request) -> Response:
    """Plan a fault for a realm, for all with ``*``, or for the token endpoint with ``oauth``."""
    realm_id = request.path_params["realm"]
    if realm_id not in (EVERY_REALM, AUTHORISATION_SERVER):
        _realm(request)
    spec = FaultSpec.model_validate_json(await request.body())
    planned = _sandbox(request).faults.add(realm_id, spec)
    return JSONResponse({"id": planned.id, **spec.model_dump(mode="json")}, status_code=201)


async def faults(request: Request) -> Response:
    """The planned faults of a realm with their counts."""
    planned = _sandbox(request).faults.of(request.path_params["realm"])
    return JSONResponse(
        [
            {"id": fault.id, "matched": fault.matched, "hits": fault.hits, **fault.spec.model_dump(mode="json")}
            for fault in planned
        ]
    )


async def clear_faults(request: Request) -> Response:
    """Forget the faults of a realm."""
    _sandbox(request).faults.clear(request.path_params["realm"])
    return Response(status_code=204)


async def disconnect(request: Request) -> Response:
    """Revoke the connection as a user does who disconnects the app."""
    realm = _realm(request)
    return _exact({"revoked": _sandbox(request).authorisations.disconnect(realm.spec.realm_id)})


async def read_truth(request: Request) -> Response:
    """Balances and open items as of a day, in either basis."""
    asked = request.query_params
    basis = asked.get("basis", "known")
    if basis not in get_args(Basis):
        raise RefusedControl(400, f"basis is one of {', '.join(get_args(Basis))}")
    instant = datetime.fromisoformat(asked["instant"]) if "instant" in asked else None
    if instant is not None and instant.tzinfo is None:
        raise RefusedControl(400, "instant needs an offset")
    company = await _sandbox(request).realms.company(_realm(request))
    day = date.fromisoformat(asked.get("day", ""))
    return _exact(truth(company, basis=cast("Basis", basis), day=day, instant=instant))


async def read_cash(request: Request) -> Response:
    """Cash at the end of every day on which it moved, from the ledger."""
    company = await _sandbox(request).realms.company(_realm(request))
    return _exact(cash_by_day(company))


async def habits(request: Request) -> Response:
    """Each customer's hidden paying habit."""
    company = await _sandbox(request).realms.company(_realm(request))
    return JSONResponse({customer: habit.to_json() for customer, habit in company.habits.items()})


async def defects(request: Request) -> Response:
    """What is wrong in the books on purpose."""
    company = await _sandbox(request).realms.company(_realm(request))
    return JSONResponse([defect.to_json() for defect in company.defects])


async def versions(request: Request) -> Response:
    """Every version of one object, oldest first."""
    company = await _sandbox(request).realms.company(_realm(request))
    entity, object_id = request.path_params["entity"], request.path_params["id"]
    stored = company.objects.get(entity, {}).get(object_id) or company.gone.get(entity, {}).get(object_id)
    if stored is None:
        raise RefusedControl(404, f"no {entity} {object_id}")
    found = [{"at": at, "body": body} for at, body in stored.versions()]
    return _exact({"versions": found, "deleted_at": stored.gone})


async def objects(request: Request) -> Response:
    """Every object that is there, or of one entity, by entity and id, straight from the books: no pages, limits or faults."""
    sandbox, realm = _sandbox(request), _realm(request)
    wanted = request.query_params.get("entity")
    company = await sandbox.realms.company(realm)
    found = {
        entity: {stored.id: parse_json(company.text(stored)) for stored in kept.values()}
        for entity, kept in company.objects.items()
        if wanted in (None, entity)
    }
    return _exact(found)


async def step(request: Request) -> Response:
    """Let days pass in a company: entries, edits, voids, deletes, merges, inactivations, back-dated entries."""
    sandbox, realm = _sandbox(request), _realm(request)
    asked = Step.model_validate_json(await request.body())
    company = await sandbox.realms.company(realm)
    dice, now = Random(asked.seed), sandbox.clock.now()  # noqa: S311 - a reproducible life, not a secret
    count = len(asked.deeds) or asked.days * asked.operations
    between = timedelta(days=asked.days) / count if asked.move_clock else timedelta()
    done: Counter[str] = Counter()
    for number in range(1, count + 1):
        deed = asked.deeds[number - 1] if asked.deeds else None
        found = next_operation(company, at=now + between * number, dice=dice, deed=deed)
        if found is None:
            continue
        name, operation = found
        try:
            sandbox.realms.change(realm, operation)
        except QboFault as fault:
            name = f"refused {fault.code}"  # such as deleting a bill that has been paid: people try that too
        done[name] += 1
    if asked.move_clock:
        sandbox.clock.set(now + timedelta(days=asked.days))
        sandbox.keep_clock()
        await sandbox.clock.notify()
    return JSONResponse({"now": sandbox.clock.now().isoformat(), "done": dict(done)})


async def touch(request: Request) -> Response:
    """Move an object's LastUpdatedTime alone."""
    sandbox, realm = _sandbox(request), _realm(request)
    asked = Touch.model_validate_json(await request.body())
    company = await sandbox.realms.company(realm)
    if asked.entity not in company.objects or company.find(asked.entity, asked.id) is None:
        raise RefusedControl(404, f"no {asked.entity} {asked.id}")
    sandbox.realms.change(realm, Operation(verb="touch", entity=asked.entity, at=asked.at, body={"Id": asked.id}))
    return Response(status_code=204)


async def realm_settings(request: Request) -> Response:
    """Read a company's settings, or change those sent."""
    realm = _realm(request)
    if request.method == "POST":
        changed = {**realm.settings.model_dump(), **await _body(request)}
        _sandbox(request).realms.configure(realm, RealmSettings.model_validate(changed))
    return JSONResponse(realm.settings.model_dump(mode="json"))


async def app_settings(request: Request) -> Response:
    """Read the app's settings, or change those sent."""
    sandbox = _sandbox(request)
    if request.method == "POST":
        changed = {**sandbox.settings.model_dump(), **await _body(request)}
        sandbox.configure(AppSettings.model_validate(changed))
    return JSONResponse(sandbox.settings.model_dump(mode="json"))


async def clock(request: Request) -> Response:
    """Read the sandbox's time, or move, stop and start it."""
    sandbox = _sandbox(request)
    if request.method == "POST":
        move = ClockMove.model_validate_json(await request.body())
        if move.frozen is False:
            sandbox.clock.run()
        if move.frozen is True:
            sandbox.clock.freeze()
        if move.now is not None:
            sandbox.clock.set(move.now)
        if move.advance_seconds is not None:
            sandbox.clock.advance(timedelta(seconds=move.advance_seconds))
        sandbox.keep_clock()
        await sandbox.clock.notify()
    return JSONResponse({"now": sandbox.clock.now().isoformat(), "frozen": sandbox.clock.is_frozen})


async def requests_log(request: Request) -> Response:
    """The request log, of one realm or of all; DELETE empties it."""
    log = _sandbox(request).log
    if request.method == "DELETE":
        log.clear()
        return Response(status_code=204)
    return JSONResponse([asdict(entry) for entry in log.of(request.query_params.get("realm"))])


async def limits(request: Request) -> Response:
    """How often each documented limit was exceeded, by realm."""
    violations = _sandbox(request).throttle.violations
    listed = [{"realm": realm, "limit": limit, "count": count} for (realm, limit), count in sorted(violations.items())]
    return JSONResponse({"violations": sum(violations.values()), "by_limit": listed})


async def meter(request: Request) -> Response:
    """CorePlus calls of the present month."""
    sandbox = _sandbox(request)
    now = sandbox.clock.now()
    return JSONResponse(
        {
            "used": sandbox.meter.used(now),
            "quota": sandbox.settings.monthly_quota,
            "by_realm": sandbox.meter.by_realm(now),
        }
    )


async def webhooks(request: Request) -> Response:
    """Subscribe (POST), read the deliveries (GET), unsubscribe (DELETE)."""
    hooks = _sandbox(request).webhooks
    if request.method == "DELETE":
        hooks.subscribe(None)
        return Response(status_code=204)
    if request.method == "POST":
        target = WebhookTarget.model_validate_json(await request.body())
        hooks.copies = target.copies
        hooks.subscribe(Subscription(url=target.url, verifier_token=target.verifier_token))
    return JSONResponse([asdict(delivery) for delivery in hooks.deliveries])


async def health(request: Request) -> Response:
    """Whether the program answers, and the processor time it has used."""
    used = round(time.process_time(), 3)
    return JSONResponse({"companies": len(_sandbox(request).realms.ids()), "cpu_seconds": used})


REFUSALS: dict[Any, Any] = dict.fromkeys(
    (RefusedControl, RealmTakenError, BadSpecError, ValidationError, ValueError), refused
)
_REALM = "/__sandbox__/realms/{realm}"
ROUTES = [
    Route("/__sandbox__/health", health),
    Route("/__sandbox__/companies", add_company, methods=["POST"]),
    Route("/__sandbox__/companies", companies, methods=["GET"]),
    Route("/__sandbox__/companies/{realm}", forget, methods=["DELETE"]),
    Route("/__sandbox__/settings", app_settings, methods=["GET", "POST"]),
    Route("/__sandbox__/clock", clock, methods=["GET", "POST"]),
    Route("/__sandbox__/requests", requests_log, methods=["GET", "DELETE"]),
    Route("/__sandbox__/limits", limits),
    Route("/__sandbox__/meter", meter),
    Route("/__sandbox__/webhooks", webhooks, methods=["GET", "POST", "DELETE"]),
    Route(_REALM + "/build", build, methods=["POST"]),
    Route(_REALM + "/faults", add_fault, methods=["POST"]),
    Route(_REALM + "/faults", faults, methods=["GET"]),
    Route(_REALM + "/faults", clear_faults, methods=["DELETE"]),
    Route(_REALM + "/revoke", disconnect, methods=["POST"]),
    Route(_REALM + "/truth", read_truth),
    Route(_REALM + "/cash", read_cash),
    Route(_REALM + "/habits", habits),
    Route(_REALM + "/defects", defects),
    Route(_REALM + "/versions/{entity}/{id}", versions),
    Route(_REALM + "/objects", objects),
    Route(_REALM + "/step", step, methods=["POST"]),
    Route(_REALM + "/touch", touch, methods=["POST"]),
    Route(_REALM + "/settings", realm_settings, methods=["GET", "POST"]),
]
