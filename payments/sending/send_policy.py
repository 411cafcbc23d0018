"""How payments are sent: times, and when one may be sent again.

Belongs here: the figures, the rule of two of three nets. Does not: sending (`drive.py`).

Three nets hold a second send of the same payment: QuickBooks knows the request id and repeats its first answer; nothing of the bill
is left to pay; we waited, looked and found nothing. None is promised for ever, so a second send needs two of them.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class SendPolicy:
    """The times of a run, and what the nets are assumed to hold."""

    #: A run that shows no sign of life for so long is taken over; renewed with each payment.
    lease: timedelta = timedelta(seconds=120)
    #: Nothing is sent that was decided to be sent longer ago: the world may be another.
    send_window: timedelta = timedelta(seconds=10)
    #: So long after a send whose answer is missing a look counts: longer than window, timeouts and QuickBooks' own cut at 120 s.
    settle: timedelta = timedelta(seconds=240)
    #: How long QuickBooks is taken to remember a request id; it does not say.
    request_id_memory: timedelta = timedelta(hours=24)
    #: Of those whose fate was unclear.
    most_attempts: int = 5
    #: After an answer that says that nothing was done.
    back_off: timedelta = timedelta(seconds=60)
    #: QuickBooks, the connection or the app's budget is in trouble: the batch waits so long.
    trouble_wait: timedelta = timedelta(minutes=5)
    #: A payment whose money a person takes to the bank is looked at again after so long, or once the person says so.
    person_wait: timedelta = timedelta(hours=1)
    #: No batch waits longer before it is looked at again, whatever it waits for and whoever asks for more.
    most_wait: timedelta = timedelta(hours=1)
    #: So many unclear answers in a row are trouble of all, not of one.
    most_unclear_in_a_row: int = 3
    #: Between this machine's time and QuickBooks'; None where the two are known to be apart (the local QuickBooks).
    most_clock_difference: timedelta | None = timedelta(minutes=5)


def policy_for(environment: str) -> SendPolicy:
    """How an installation sends; the local QuickBooks keeps a time of its own, which is compared with nothing."""
    return SendPolicy(most_clock_difference=None) if environment == "local" else SendPolicy()


@dataclass(frozen=True, slots=True, kw_only=True)
class Nets:
    """Which nets hold a further send of a payment."""

    request_id: bool
    whole_balance: bool
    settled_look: bool

    @property
    def standing(self) -> int:
        """How many."""
        return self.request_id + self.whole_balance + self.settled_look


def nets(
    *,
    first_sent_at: datetime,
    has_settled: bool,
    remembered_for: timedelta,
    is_whole_balance: bool,
    sees_all: bool,
    now: datetime,
) -> Nets:
    """The nets of a payment of which a look just found nothing.

    A clock that was set back makes the first send look to come: then the request id is not counted on.
    """
    return Nets(
        request_id=timedelta() <= now - first_sent_at < remembered_for,
        whole_balance=is_whole_balance,
        settled_look=sees_all and has_settled,
    )


def may_send_again(held: Nets, *, attempts: int, policy: SendPolicy) -> bool:
    """Whether a payment whose fate was unclear may be sent once more."""
    return held.settled_look and held.standing >= 2 and attempts < policy.most_attempts  # noqa: PLR2004 - two of three
