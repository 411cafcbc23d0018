"""The named points of sending at which a test lets a process die, stop or fail, with what is true at each.

Belongs here: the registers. Does not: the mechanism (`resources/failpoints.py`).
"""

from collections.abc import Mapping
from types import MappingProxyType

#: In the order in which a payment meets them.
SEND_POINTS: Mapping[str, str] = MappingProxyType(
    {
        "run.start": "a run has begun and has written nothing",
        "claim.in": "the batch is claimed and not committed",
        "claim.after": "the batch is ours, nothing was looked at",
        "look.before": "nothing was asked about this payment",
        "bill.after_get": "the bill was read, nothing is decided",
        "look.after": "the look is over, nothing is written",
        "intent.in": "the send is written down and not committed",
        "intent.after": "the send is written down and nothing has left",
        "send.before": "the last check is done, the first byte has not left",
        "send.after_bytes": "the last byte has left, no answer was read",
        "answer.before_record": "the answer is there and only this process knows it",
        "confirm.in": "the payment is recorded as paid and not committed",
        "confirm.after": "the payment is paid, its neighbours are not looked at",
        "unknown.in": "the fate is written down as unknown and not committed",
        "unknown.after": "the fate is written down as unknown",
        "refuse.in": "the refusal is written and not committed",
        "backoff.in": "the payment is ready again and not committed",
        "adopt.in": "a found payment is taken as ours and not committed",
        "close.in": "the batch is settled or waits, not committed",
        "close.after": "the batch is settled or waits",
    }
)

#: The acts before a batch is sent, in the order in which a bill meets them. `store/ledger.py` makes the points of each.
DESK_POINTS: Mapping[str, str] = MappingProxyType(
    {
        "approve.in": "the approval is written and not committed",
        "approve.after": "the bill is approved, nobody was told",
        "stage.in": "the proposal is written and not committed",
        "stage.after": "the bill is staged, nobody was told",
        "reserve.in": "the movement of a reserve is written and not committed",
        "reserve.after": "the reserve has its money, nobody was told",
        "decide.before": "a decision was asked for, nothing is written",
        "decide.in": "decision and hold are written and not committed",
        "decide.after": "the decision stands, nobody was told",
        "delay.in": "the bill is put off, its hold released, not committed",
        "delay.after": "the bill is put off, nobody was told",
        "finalize.in": "batch, seal and payments are written and not committed",
        "finalize.after": "the batch is sealed, nobody was told",
        "reflect.in": "new balances are the basis, not committed",
        "reflect.after": "new balances are the basis, the day has not passed",
        "schedule.promote.in": "what came due is batched and sealed, not committed",
        "schedule.promote.after": "what came due is sealed, nobody was told",
    }
)
