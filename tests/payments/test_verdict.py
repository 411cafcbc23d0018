"""What a campaign of faults says in the end."""

from typing import Any

from payments.sending.points import DESK_POINTS, SEND_POINTS
from tests.payments.scene import Counts
from tests.payments.verdict import RELEASE, verdict


def _part(*, without: str = "", times: int = 1) -> dict[str, Any]:
    counts = Counts(trials=1)
    counts.deaths.update({f"{point} kill": times for point in (*SEND_POINTS, *DESK_POINTS) if point != without})
    return {"kill": {"seconds": 2.0, "counts": counts.summary()}}


def test_a_whole_campaign_that_killed_nobody_at_a_point_is_wrong_and_a_slice_names_the_point() -> None:
    parts = [_part(without="adopt.in"), _part(without="adopt.in")]
    whole, part = verdict(parts, is_whole=True), verdict(parts, is_whole=False)
    assert whole["wrong"] == ["no process was killed at adopt.in"]
    assert part["wrong"] == []
    assert whole["points_never_reached"] == part["points_never_reached"] == ["adopt.in"]
    assert verdict([_part()], is_whole=True)["wrong"] == []


def test_a_point_that_was_only_stood_still_at_is_not_reached() -> None:
    part = _part(without="adopt.in")
    part["kill"]["counts"]["deaths"] |= {"adopt.in stop": 9, "adopt.in soft": 9}
    assert verdict([part], is_whole=False)["points_never_reached"] == ["adopt.in"]


def test_what_was_reached_stands_beside_what_a_release_has() -> None:
    found = verdict([_part(times=3), _part(times=2)], is_whole=False)
    points = len(SEND_POINTS) + len(DESK_POINTS)
    assert found["release"]["kills"] == {"reached": 5 * points, "aimed": 20_000}
    assert found["release"]["kills at the point that has fewest"] == {"reached": 5, "aimed": 400}
    assert set(found["release"]) == set(RELEASE)
    assert found["kills_by_point"]["send.before"] == 5
    assert not found["is_release"]


def _reviewed(*, payments: int, reviews: int) -> dict[str, Any]:
    counts = Counts(trials=1, without_business_fault=payments, reviews=reviews)
    return {"kill": {"seconds": 2.0, "counts": counts.summary()}}


def test_more_than_one_in_a_hundred_left_to_a_person_is_wrong() -> None:
    two, half = _reviewed(payments=1_000, reviews=20), _reviewed(payments=1_000, reviews=5)
    assert verdict([two], is_whole=False)["wrong"] == [
        "20 of 1000 payments without a business fault are left to a person"
    ]
    assert verdict([half], is_whole=False)["wrong"] == []
    assert verdict([half, half, two], is_whole=False)["wrong"] == [], "one in a hundred of all workers' payments is not"


def test_of_a_few_payments_left_to_a_person_nothing_is_concluded() -> None:
    assert verdict([_reviewed(payments=50, reviews=1)], is_whole=False)["wrong"] == []
