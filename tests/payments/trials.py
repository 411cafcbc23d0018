"""What happens in one trial of the fault campaign.

Belongs here: the plan of a trial, and whether any net is left in it. Does not: playing it (`campaign.py`).
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What happens in one trial."""

    seed: int
    request_ids: str = "honoured"
    duplicate_doc_number: str = "accept"
    overpaying_line: str = "refuse"
    #: Whole amounts of the bills and what is paid of each, in cents.
    bills: tuple[tuple[int, int], ...] = ((10_000, 10_000),)
    #: What QuickBooks does to the writes, with how many pass first.
    faults: tuple[tuple[str, int], ...] = ()
    #: How late `slow_then_commit` is; the client waits half a second.
    slow_seconds: float = 0.9
    #: What happens to the runs, one after another: point, passage, kill or stop.
    deaths: tuple[tuple[str, int, str], ...] = ()
    #: A person pays as much of the first bill in QuickBooks after the batch was sealed.
    paid_by_hand: bool = False
    #: The books are closed for the day, so QuickBooks refuses every payment.
    closed_books: bool = False
    #: Two runs at once at the beginning.
    doubled: bool = False

    @property
    def has_no_net(self) -> bool:
        """Whether one payment may be recorded twice whatever a client does: the sole case in which it may."""
        forgets = self.request_ids in ("forgotten", "ignored")
        accepts = self.overpaying_line == "cap" or any(2 * paid <= whole for whole, paid in self.bills)
        twice = any(kind == "double_delivery" for kind, _ in self.faults) or any(
            point == "send.before" and action == "stop" for point, _, action in self.deaths
        )
        return forgets and accepts and self.duplicate_doc_number == "accept" and twice
