"""The rails that an installation has.

Belongs here: which exist, and how one is opened for a tenant. Does not: the rails.
"""

from payments.bill_tables import PAYEE
from payments.ledger import Ledger
from payments.rails import simulated_bank
from payments.rails.protocol import Rail
from payments.rails.simulated_bank import SimulatedBank
from resources.installation import Installation
from resources.tables import CONNECTION
from resources.tenants import TenantId


class Rails:
    """Opens rails by name; the simulated bank is there only beside the local QuickBooks."""

    def __init__(self, installation: Installation) -> None:
        self._settings = installation.settings
        self._ledger = Ledger(installation.database, clock=installation.clock)

    def open(self, tenant: TenantId, name: str) -> Rail | None:
        """The tenant's rail of this name; None if this installation has none."""
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
