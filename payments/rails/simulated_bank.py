"""The bank of the local QuickBooks as a rail: money moves at once, under a key, and can be looked for.

Belongs here: its HTTP, its answers as those of a rail. Does not: real banks; deciding.

Only the last digits of the account leave the ledger: the bank is a program for demonstrations and tests.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import httpx
import simplejson

from payments.rails.protocol import Abilities, Instruction, RailBusy, RailFailed, RailRefused
from resources.qbo.client import open_http

NAME = "simulated_bank"
#: The published key of a program that moves no money.
_KEY = "sandbox-bank"
_BODY_SENT = "http11.send_request_body.complete"
_TAKEN, _FOUND = 201, 200
_DID_NOTHING = frozenset({401, 429})
_REFUSED = frozenset({400, 404, 422})


class SimulatedBank:
    """The bank of one company."""

    abilities = Abilities(
        remembers_keys_for=timedelta(hours=24), can_be_searched=True, can_be_cancelled=False, instructs_at_once=True
    )

    def __init__(
        self, *, url: str, realm_id: str, payee_ending: Callable[[str, int], str], timeout_seconds: float
    ) -> None:
        self._url = url
        self._timeout_seconds = timeout_seconds
        self._address = f"/bank/{realm_id}/instructions"
        #: The last digits of a version of a vendor's account.
        self._payee_ending = payee_ending

    def submit(self, body: bytes, *, key: str, on_sent: Callable[[], None]) -> Instruction:
        """Hand over one instruction once."""
        asked = simplejson.loads(body)
        order = {
            "amount_cents": asked["amount_cents"],
            "account_ending": self._payee_ending(asked["vendor_id"], asked["payee_version"]),
        }

        def trace(name: str, _info: Mapping[str, Any]) -> None:
            if name == _BODY_SENT:
                on_sent()

        answer = self._send("POST", json=order, headers={"Idempotency-Key": key}, extensions={"trace": trace})
        if answer.status_code == _TAKEN:
            return _instruction(_json(answer))
        if answer.status_code in _DID_NOTHING:
            raise _failed(RailBusy, f"the bank did nothing (status {answer.status_code})")
        if answer.status_code in _REFUSED:
            raise _failed(RailRefused, f"the bank refused the instruction (status {answer.status_code})")
        raise _failed(RailFailed, f"the bank answered {answer.status_code}")

    def find(self, key: str) -> list[Instruction]:
        """What the bank has under a key."""
        answer = self._send("GET", params={"key": key})
        if answer.status_code != _FOUND:
            raise _failed(RailFailed, f"the bank answered {answer.status_code}")
        return [_instruction(one) for one in _json(answer)["instructions"]]

    def _send(self, method: str, **more: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {_KEY}", **more.pop("headers", {})}
        try:
            # Few calls, far apart: no connection is worth keeping.
            with open_http(self._url, timeout_seconds=self._timeout_seconds) as http:
                return http.request(method, self._address, headers=headers, **more)
        except httpx.HTTPError:
            raise _failed(RailFailed, "the bank did not answer") from None


def _json(answer: httpx.Response) -> dict[str, Any]:
    try:
        found: dict[str, Any] = answer.json()
    except ValueError:
        raise _failed(RailFailed, "the bank's answer was cut") from None
    return found


def _instruction(found: Mapping[str, Any]) -> Instruction:
    settled = found["settled_at"]
    return Instruction(
        remote_id=found["id"],
        key=found["key"],
        amount_cents=found["amount_cents"],
        state=found["state"],
        instructed_at=datetime.fromisoformat(found["accepted_at"]),
        settled_at=datetime.fromisoformat(settled) if settled else None,
        returned_because=found["returned_because"] or "",
    )


def _failed(kind: type[RailFailed], what: str) -> RailFailed:
    return kind(
        what=f"{what[0].upper()}{what[1:]}.", next_step="The payment is looked for before anything is sent again."
    )
