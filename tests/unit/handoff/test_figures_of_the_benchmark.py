"""How the benchmark's figures are judged and summed up."""

import pytest

from handoff.bench.figures import BY_NAME, KINDS, Figures, failing, shown
from handoff.bench.report import spread, stages_of


@pytest.mark.parametrize(
    ("name", "median", "verdict"),
    [
        ("accept_c64", 0.95, "aim"),
        ("accept_c64", 0.60, "goal"),
        ("accept_c64", 0.30, "half"),
        ("accept_c64", 0.29, "missed"),
        ("commits", 60, "aim"),
        ("commits", 150, "goal"),
        ("commits", 300, "half"),
        ("commits", 301, "missed"),
        ("accept_c1", 9.0, "goal"),
        ("noop_rate", 1.0, None),
    ],
)
def test_a_median_is_judged_by_the_best_bound_that_it_reaches(
    name: str, median: float, verdict: str | None
) -> None:
    assert BY_NAME[name].verdict(median) == verdict


def test_a_figure_is_the_median_of_its_rounds_between_the_least_and_the_most() -> None:
    figures = Figures()
    for value in (0.7, 0.1, 0.5):
        figures.note(walk=value)
    (walk,) = figures.measured()

    assert (walk.min, walk.median, walk.max) == (0.1, 0.5, 0.7)
    assert walk.verdict == "aim"
    assert (walk.goal, walk.aim) == ("≥ 0.15", "≥ 0.25")


def test_programs_are_told_minimum_median_and_maximum_and_every_value() -> None:
    figures = Figures()
    for value in (100.0, 80.0):
        figures.note(task_p50=value)
    (told,) = (each.model_dump() for each in figures.measured())

    assert told | {"text": ""} == {
        "name": "task_p50", "text": "", "unit": "ms", "goal": "≤ 150 ms", "aim": "≤ 75 ms",
        "values": [100.0, 80.0], "disturbed": 0, "verdict": "goal",
        "min": 80.0, "median": 90.0, "max": 100.0,
    }  # fmt: skip


def test_rounds_that_neighbours_had_a_part_in_are_counted() -> None:
    figures = Figures()
    figures.note(walk=0.2, disturbed=True)
    figures.note(walk=0.3, disturbed=False)

    assert [each.disturbed for each in figures.measured()] == [1]


def test_a_figure_that_nobody_defined_cannot_be_noted() -> None:
    with pytest.raises(KeyError):
        Figures().note(speed=1.0)


def test_a_clock_fails_below_half_of_its_goal_and_a_count_at_its_goal() -> None:
    figures = Figures()
    figures.note(walk=0.14, accept_c64=0.2, commits=151, postgres_cpu=0.25)
    measured = figures.measured()

    assert failing(measured, clock=True) == {"accept_c64": 0.2}
    assert failing(measured, clock=False) == {"commits": 151}


def test_where_it_is_asked_for_the_round_that_no_neighbour_spoilt_is_judged() -> None:
    figures = Figures()
    for good, slow in ((0.4, 290), (0.1, 900), (0.1, 900)):
        figures.note(accept_c64=good, task_p50=slow)
    measured = figures.measured()

    assert failing(measured, clock=True) == {"accept_c64": 0.1, "task_p50": 900}
    assert failing(measured, clock=True, best=True) == {}


def test_an_aim_is_never_easier_than_its_goal() -> None:
    with_aim = [kind for kind in KINDS if kind.goal is not None and kind.aim is not None]

    assert len(with_aim) > 5
    assert [kind.name for kind in with_aim if kind.verdict(kind.aim or 0) != "aim"] == []
    assert [kind.name for kind in with_aim if kind.verdict(kind.goal or 0) != "goal"] == []


def test_numbers_are_shown_with_the_digits_that_count() -> None:
    assert [shown(value) for value in (0.0214, 0.6, 12.345, 123.4, 5432.1)] == [
        "0.0214", "0.6", "12.3", "123", "5,432",
    ]  # fmt: skip


def test_the_stages_of_the_walk_are_named_in_its_order_and_what_stood_by_is_one() -> None:
    found = {
        "kafka": [120.0, 130.0],
        "marketing-intake-api-0": [200.0, 210.0],
        "notifier-api-0": [1.0, 2.0],
        "sales-pipeline-api-0": [3.0, 4.0],
        "floor-noop": [5.0, 5.0],
    }

    assert [(stage.name, stage.microseconds) for stage in stages_of(found)] == [
        ("intake api", (200.0, 205.0, 210.0)),
        ("Kafka", (120.0, 125.0, 130.0)),
        ("the other APIs, idle", (4.0, 5.0, 6.0)),
    ]


def test_without_the_walk_there_are_no_stages() -> None:
    assert stages_of({}) == []
    assert spread([3.0, 1.0]) == (1.0, 2.0, 3.0)
