"""The two kinds of failure that everything above `resources` must tell apart.

Belongs here: `TenantError`, the expected failure of one tenant, and its general subclasses.
Does not: failures of QuickBooks (`resources/qbo/errors.py`); bugs, which stay ordinary exceptions and propagate.

    TenantError                 one tenant's work cannot be done now; nobody else's is affected
    |-- TenantUnknown           no such tenant is registered
    |-- TenantNotReady          not connected, or never fully synced
    |-- TenantBusy              another process holds the tenant's lease
    `-- LeaseLost               our lease was taken over; nothing of ours was committed
"""


class TenantError(Exception):
    """An expected failure of one tenant: says what happened and what a person does next."""

    def __init__(self, *, what: str, next_step: str) -> None:
        self.what = what
        self.next_step = next_step
        super().__init__(f"{what} {next_step}")

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        """Pickle by keyword, so that the error survives the way back from another process."""
        return _rebuild, (type(self), self.what, self.next_step)


class TenantUnknown(TenantError):
    """No tenant of this id is registered."""


class TenantNotReady(TenantError):
    """The tenant lacks something its work needs: a connection, a complete sync."""


class TenantBusy(TenantError):
    """Another process works on this tenant right now."""


class LeaseLost(TenantError):
    """The tenant's lease was taken over while we worked; our work was not committed."""


def _rebuild(kind: type[TenantError], what: str, next_step: str) -> TenantError:
    error = kind.__new__(kind)
    TenantError.__init__(error, what=what, next_step=next_step)
    return error
