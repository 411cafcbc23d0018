"""Expected failures say what happened and what to do, and survive the way from another process."""

import pickle

import pytest

from resources.errors import LeaseLost, TenantBusy, TenantError, TenantNotReady, TenantUnknown


@pytest.mark.parametrize("kind", [TenantError, TenantUnknown, TenantNotReady, TenantBusy, LeaseLost])
def test_an_expected_failure_survives_pickling(kind: type[TenantError]) -> None:
    error = kind(what="The books are closed.", next_step="Open them.")
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert type(again) is kind
    assert (again.what, again.next_step) == (error.what, error.next_step)
    assert str(again) == str(error) == "The books are closed. Open them."
