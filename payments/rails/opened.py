"""The rails that an installation has.

Belongs here: which exist, and how one is opened for a tenant. Does not: the rails.
"""

from collections.abc import Callable

from payments.rails import nacha_file, simulated_bank
from payments.rails.protocol import Instruction, Rail, RailRefused
from payments.rails.simulated_bank import SimulatedBank
from payments.store.bill_tables import PAYEE
from payments.store.ledger import Ledger
from resources.installation import Installation
from resources.tables import CONNECTION
from resources.tenants import TenantId


class ByHand:
    """A rail whose instructions a person carries to the bank as a file (`sending/bank_files.py`); no run submits or finds any."""

    abilities = nacha_file.ABILITIES

    def submit(self, body: bytes, *, key: str, on_sent: Callable[[], None]) -> Instruction:  # noqa: ARG002 - the rails' interface
        """Never: the run waits for the person."""
        raise RailRefused(what="A payment file is carried by a person.", next_step="`runway batch file` makes it.")

    def find(self, key: str) -> list[Instruction]:  # noqa: ARG002 - the rails' interface
        """Nothing can be known of a key."""
        return []


class Rails:
    """Opens rails by name; the simulated bank is there only beside the local QuickBooks."""

    def __init__(self, installation: Installation) -> None:
        self._settings = installation.settings
        self._ledger = Ledger(installation.database, clock=installation.clock)

    def open(self, tenant: TenantId, name: str) -> Rail | None:
        """The tenant's rail of this name; None if this installation has none."""
        if name == nacha_file.NAME:
            return ByHand()
        if name == simulated_bank.NAME and self._settings.qbo_environment == "local":
            return self._simulated_bank(tenant)
        return None

    def _simulated_bank(self, tenant: TenantId) -> Rail | None:
        with self._ledger.look(tenant) as look:
            connection = look.one(CONNECTION)
        if connection is None:
            return None

        def ending(vendor_id: str, version: int) -> str:
            with self._ledger.look(tenant) as look:
                row = look.one(PAYEE, vendor_id=vendor_id, version=version)
            assert row is not None, "an instruction names a version that was confirmed"
            return str(row["account_ending"])

        return SimulatedBank(
            url=self._settings.qbo_local_url,
            realm_id=connection["realm_id"],
            payee_ending=ending,
            timeout_seconds=min(20.0, self._settings.qbo_timeout_seconds),
        )
