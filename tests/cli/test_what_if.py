"""`runway decide what-if` and the dry run of a batch: whether it fits, and what it does to the week's forecast."""

from datetime import UTC, datetime

from experiences.console.document import ConsoleDocument, to_json
from resources.documents import Document, Documents
from runway_calcs.forecast.what_if_draws import OpenBillDays, WhatIfDraws
from tests.cli.test_paying import Shell, shell  # noqa: F401 - the fixture
from tests.experiences.console_builders import make_console, make_console_bill
from tests.payments.conftest import desk_file  # noqa: F401 - the fixture that `shell` asks for


def _publish(shell: Shell) -> None:  # noqa: F811 - the fixture's value
    """A forecast of two courses, at 1,000.00 and 500.00 with a floor of 450.00, and b1 that neither pays within ten days."""
    today = shell.desk.today
    bill = OpenBillDays(bill_id="b1", cents=100_00, days=(0, 0))
    draws = WhatIfDraws(as_of=today, horizon_days=10, unit_cents=100, paths=((1_000,) * 10, (500,) * 10), bills=(bill,))
    document: ConsoleDocument = make_console(make_console_bill(), as_of=today, floor_cents=450_00, draws=draws)
    Documents(shell.desk.database, clock=shell.desk.clock).publish(
        Document(
            tenant_id=shell.desk.tenant,
            kind="console",
            key=today.isoformat(),
            title="",
            body=to_json(document),
            html="",
            text="",
            data_as_of=datetime(2026, 1, 1, tzinfo=UTC),
        )
    )


def test_without_a_forecast_free_cash_is_told_and_how_to_get_the_rest(shell: Shell) -> None:  # noqa: F811
    assert "No bill is staged or decided." in shell("decide", "what-if", "acme-design")
    shell.desk.ready("b1")
    said = shell("decide", "what-if", "acme-design")
    assert "It fits." in said
    assert "`runway friday` makes one" in said
    assert "--account" in shell("decide", "what-if", "acme-design", "b1", code=2)


def test_what_is_staged_is_set_against_the_forecast_and_a_batch_before_it_is_sealed(shell: Shell) -> None:  # noqa: F811
    _publish(shell)
    shell.desk.ready("b1", "b3")
    said = shell("decide", "what-if", "acme-design")
    for words in (
        "beyond 13 weeks -> 1 day (at least 10 days shorter)",
        "500.00 -> 400.00 (-100.00)",
        "0 % -> 50 %",
        "b3",
    ):
        assert words in said
    projected = shell.json("decide", "what-if", "acme-design")["projected"]
    assert (projected["days"], projected["low_cents"], projected["below_floor_ppm"]) == (-10, -100_00, 500_000)
    assert (projected["counted_bill_ids"], projected["uncounted_bill_ids"]) == (["b1"], ["b3"])
    shell.desk.pay_now("b1")
    sealed = shell("batch", "finalize", "acme-design", "--dry-run", by="fin")
    assert "Would be done: fin finalizes 1 payment" in sealed
    assert "500.00 -> 400.00 (-100.00)" in sealed
    assert shell.json("batch", "list", "acme-design") == []
