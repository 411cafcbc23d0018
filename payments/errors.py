"""Refusals of the ledger: what happened, how much is missing, what holds it, what to do.

Belongs here: the tree of refusals. Does not: when they are raised.

    TenantError
    `-- Refused                 nothing was changed
        |-- NotAllowed          the person's roles do not include the verb
        |-- UnknownHere         no such bill, decision, batch, account or reserve of this tenant
        |-- WrongState          the thing is not where this verb starts from
        |-- ContentChanged      the bill is no longer what was approved
        |-- ApprovalMissing     the policy asks for more approvals
        |-- SamePerson          the policy asks for different people
        |-- OverLimit           a limit of the policy
        |-- CashUnknown         no balance, or one too old to decide on
        |-- NotCash             the books no longer count the account as cash
        |-- NotEnoughCash       it does not fit into free cash
        |-- InShortfall         the account is short and a person has to resolve it first
        |-- PayeeMissing        the rail needs confirmed bank details
        |-- KeyReused           the request key belongs to another request
        |-- BadRequest          the request makes no sense in itself
        |-- SealBroken          a batch is not what was sealed
        `-- Fenced              another run has taken the batch over
"""

from collections.abc import Mapping
from typing import Any

from resources.errors import TenantError


class Refused(TenantError):
    """The ledger refused: nothing was changed. `facts` are the figures of the refusal, for programs."""

    def __init__(self, *, what: str, next_step: str, **facts: Any) -> None:
        super().__init__(what=what, next_step=next_step)
        self.facts: Mapping[str, Any] = facts

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        """Pickle with the figures, so that the refusal survives the way back from another process."""
        return _rebuilt, (type(self), self.what, self.next_step, dict(self.facts))


class NotAllowed(Refused):
    """The person's roles do not include the verb."""


class UnknownHere(Refused):
    """This tenant has no such thing."""


class WrongState(Refused):
    """The thing is not in a state from which this verb starts."""


class ContentChanged(Refused):
    """The bill is no longer what was approved."""


class ApprovalMissing(Refused):
    """The policy asks for approvals that are not there."""


class SamePerson(Refused):
    """The policy asks for different people."""


class OverLimit(Refused):
    """A limit of the policy would be exceeded."""


class CashUnknown(Refused):
    """There is no balance of the account, or it is too old."""


class NotCash(Refused):
    """The books no longer count the account as cash: no balance of it will come."""


class NotEnoughCash(Refused):
    """The amount does not fit into free cash; `facts` say what is missing and what holds the rest."""


class InShortfall(Refused):
    """The account holds less than what is set aside; nothing more is granted until a person resolves it."""


class PayeeMissing(Refused):
    """The rail moves money, and the vendor's bank details are not confirmed."""


class KeyReused(Refused):
    """The request key was used for something else."""


class BadRequest(Refused):
    """The request contradicts itself or the bill."""


class SealBroken(Refused):
    """The items of a batch are not those that were sealed."""


class Fenced(Refused):
    """Another run has taken the batch over; nothing more may be written for it here."""


def _rebuilt(kind: type[Refused], what: str, next_step: str, facts: dict[str, Any]) -> Refused:
    return kind(what=what, next_step=next_step, **facts)
