"""How long a program that died waits for its next start."""

from handoff.supervisor.process import back_off


def test_the_first_death_costs_no_wait() -> None:
    assert (back_off(0), back_off(1)) == (0.0, 0.0)


def test_a_second_short_life_still_starts_within_a_second() -> None:
    assert 0.0 < back_off(2) < 1.0


def test_waits_grow_to_five_seconds_and_stay_there() -> None:
    waits = [back_off(short_lives) for short_lives in range(20)]

    assert waits == sorted(waits)
    assert waits[-1] == 5.0
