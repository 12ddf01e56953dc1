"""How long a loop rests between two batches."""

from shared.messaging import pace


def test_a_loop_rests_for_a_share_of_what_its_batch_took() -> None:
    assert 0 < pace.rest(0.02, full=False) < 0.02


def test_no_rest_is_long_whatever_the_batch_took() -> None:
    assert pace.rest(30.0, full=False) <= 0.05


def test_after_a_full_batch_the_next_is_taken_at_once() -> None:
    assert pace.rest(0.2, full=True) == 0
