"""``requestid``: what a repeated write is answered.

Belongs here: remembering first answers, and the personalities a company can have. Does not: carrying a write out.
"""

from dataclasses import dataclass
from hashlib import sha256

from qbo_sandbox.envelopes import Answer
from qbo_sandbox.faults import QboFault
from qbo_sandbox.settings import RealmSettings

_LONGEST = 50
_LONGEST_ON_BATCH = 36


@dataclass(frozen=True, slots=True, kw_only=True)
class _Remembered:
    answer: Answer
    digest: bytes
    at: float


class RequestIds:
    """First answers by realm and request id."""

    def __init__(self) -> None:
        self._remembered: dict[tuple[str, str], _Remembered] = {}

    def earlier(
        self, realm: str, request_id: str, body: bytes, *, is_batch: bool, now: float, settings: RealmSettings
    ) -> Answer | None:
        """The answer of the first request with this id, None when the request is to be carried out."""
        if settings.request_ids == "ignored":
            return None
        if not request_id or len(request_id) > (_LONGEST_ON_BATCH if is_batch else _LONGEST):
            raise QboFault(
                code="2130", message="Invalid Request Id Format", detail=f"Invalid Request Id Format : {request_id}"
            )
        first = self._remembered.get((realm, request_id))
        if first is None or settings.request_ids == "forgotten" or now - first.at > settings.request_id_seconds:
            return None
        if settings.request_ids == "answers_6000":
            raise QboFault.business("This request has been processed before.")
        other_body = first.digest != sha256(body).digest() and settings.request_id_other_body == "answers_600"
        if settings.request_ids == "answers_600" or other_body:
            raise QboFault(code="600", message="Duplicate Request ID", detail=f"Duplicate Request ID : {request_id}")
        return first.answer

    def remember(self, realm: str, request_id: str, body: bytes, answer: Answer, *, now: float) -> None:
        """Keep the first answer to an id."""
        self._remembered[realm, request_id] = _Remembered(answer=answer, digest=sha256(body).digest(), at=now)

    def forget(self, realm: str) -> None:
        """Drop the first answers of a company that is no longer served."""
        self._remembered = {key: kept for key, kept in self._remembered.items() if key[0] != realm}
