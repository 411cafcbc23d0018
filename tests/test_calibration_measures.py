"""The measures of calibration on predictions whose quality is known."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from tests.calibration import (
    Coverage,
    below_by_week,
    coverage,
    early_breaches,
    first_below,
    reliability,
    reliability_error,
)

AS_OF, UNTIL = date(2026, 3, 6), date(2026, 6, 30)


def _interval(low: str, high: str) -> tuple[pd.Timestamp, pd.Timestamp]:
    return pd.Timestamp(low), pd.Timestamp(high)


def _judge(low: str, high: str, paid: str | None) -> Coverage:
    predicted = pd.DataFrame([_interval(low, high)], index=["1"], columns=[0.1, 0.9])
    return coverage(predicted, pd.Series([pd.Timestamp(paid)], index=["1"]), as_of=AS_OF, true_until=UNTIL)


@pytest.mark.parametrize(
    ("interval", "paid", "where"),
    [
        pytest.param(("2026-03-10", "2026-03-20"), "2026-03-10", "inside", id="its first day counts"),
        pytest.param(("2026-03-10", "2026-03-20"), "2026-03-20", "inside", id="its last day counts"),
        pytest.param(("2026-03-10", "2026-03-20"), "2026-03-09", "below", id="before"),
        pytest.param(("2026-03-10", "2026-03-20"), "2026-03-21", "above", id="after"),
        pytest.param(("2026-03-10", "2026-03-20"), None, "above", id="never, though the interval has passed"),
        pytest.param(("2026-03-10", "2026-07-20"), None, "beyond", id="the interval ends after the truth"),
        pytest.param(("2026-03-10", "2026-07-20"), "2026-03-12", "beyond", id="whatever happened"),
        pytest.param(("2026-03-10", "2026-03-20"), "2026-03-06", "already_paid", id="paid, only keyed in later"),
    ],
)
def test_a_payment_date_is_judged_by_its_interval(interval: tuple[str, str], paid: str | None, where: str) -> None:
    found = _judge(*interval, paid)
    places = ("inside", "below", "above", "beyond", "already_paid")
    assert {name for name in places if getattr(found, name)} == {where}
    assert found.judged == (where in ("inside", "below", "above"))


def test_coverages_add_up() -> None:
    pooled = _judge("2026-03-10", "2026-03-20", "2026-03-12") + _judge("2026-03-10", "2026-03-14", None)
    assert (pooled.judged, pooled.inside, pooled.share, pooled.mean_width_days) == (2, 1, 0.5, 7.0)
    assert np.isnan(Coverage().share)


def test_honest_probabilities_have_no_error_and_overconfident_ones_have() -> None:
    dice = np.random.default_rng(5)
    said = dice.beta(0.5, 0.5, size=40_000)
    came = dice.random(40_000) < said
    assert reliability_error(reliability(said, came)) < 0.01
    overconfident = np.clip(0.5 + 1.6 * (said - 0.5), 0, 1)
    assert reliability_error(reliability(overconfident, came)) > 0.07
    assert reliability_error(reliability(np.full(100, 0.3), np.arange(100) < 30)) == pytest.approx(0, abs=1e-12)


def test_the_order_of_equal_predictions_does_not_matter() -> None:
    dice = np.random.default_rng(6)
    said = dice.choice([0.0, 0.2, 1.0], size=500, p=[0.7, 0.1, 0.2])
    came = dice.random(500) < 0.3
    shuffled = dice.permutation(500)
    straight, other = reliability(said, came), reliability(said[shuffled], came[shuffled])
    assert [one.happened for one in straight] == pytest.approx([one.happened for one in other])
    assert [one.count for one in straight] == [50] * 10


def test_too_few_predictions_are_refused() -> None:
    with pytest.raises(ValueError, match="10 bins"):
        reliability([0.5] * 9, [True] * 9)


def test_below_the_floor_means_the_end_of_a_day() -> None:
    cash = [500] * 6 + [100, 99] + [500] * 6 + [0] * 3
    assert first_below(cash, floor_cents=100) == 8
    assert first_below(cash, floor_cents=0) is None
    assert list(below_by_week(cash, floor_cents=100)) == [False, True]


def test_a_breach_on_the_cautious_date_itself_is_not_early() -> None:
    found = early_breaches([10, 10, 10, None, 30], [9, 10, None, 3, 29])
    assert (found.dated, found.early, found.share) == (4, 2, 0.5)
