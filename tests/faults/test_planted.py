"""The scenarios can fail: each fault that was planted in the product is found by one of them.

A patch is applied to a copy of the code, and the scenario that must catch it runs on that copy, on
the smallest rig that shows it. In full size the same scenario must find nothing without the patch.
"""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

import pytest
from tests.faults.conftest import MakeRig
from tests.faults.figures import Figure, is_full
from tests.faults.invariants import INTAKE, NOTIFIER, PIPELINE, SCORING, Findings
from tests.faults.rig.code import PLANTED, plant
from tests.faults.rig.rig import Rig
from tests.faults.scenarios import (
    crashing,
    mishearing,
    racing,
    relaying,
    restoring,
    upgrading,
)

SOON = 6.0


@dataclass(frozen=True)
class Caught:
    """Which service the fault shows in, by what, and which invariant says so."""

    service: str
    scenario: Callable[[Rig], Awaitable[Findings]]
    broken: str
    beside: tuple[str, ...] = ()


MISNUMBERED = "said under other numbers than 1, 2, 3"
NOT_STORED = "answered 2xx and not stored"
NOT_HEARD = "said and not heard, or the reverse"
UNLIKE_SAID = "touchpoints scored unlike those said"
intake, hearing = partial(crashing.intake, within=SOON), partial(crashing.hearing, within=SOON)

CATCHES = {
    "answer-before-commit": Caught(
        INTAKE, partial(intake, api=["capture.before_write:4"] * 3), NOT_STORED
    ),
    "repeat-without-its-key": Caught(
        INTAKE, partial(intake, api=["capture.after_commit:2"] * 2), "one key, two submissions"
    ),
    "refused-after-commit": Caught(INTAKE, partial(intake), "stored and never sent, or refused"),
    "id-watermark": Caught(
        INTAKE, relaying.a_row_that_commits_late, "passed by: a later one was sent"
    ),
    "deleted-before-ack": Caught(
        INTAKE,
        partial(intake, worker=["relay.after_send:2"] * 2),
        "archived and not in the topic, or the reverse",
    ),
    "column-dropped-too-early": Caught(
        INTAKE, upgrading.to_the_code_of, "stored and without an outcome"
    ),
    "wrong-key": Caught(INTAKE, partial(intake), "out of order in the topic"),
    "lease-ignored": Caught(INTAKE, relaying.two_workers, "sent twice though nothing failed"),
    "offset-committed-first": Caught(
        SCORING, partial(hearing, worker=["consumer.before_commit:2"] * 2), NOT_HEARD
    ),
    "offsets-committed-by-the-clock": Caught(
        SCORING, partial(hearing, worker=["consumer.before_commit:3"] * 3), NOT_HEARD
    ),
    "position-not-kept": Caught(
        SCORING, partial(hearing, worker=["consumer.after_commit:2"] * 2), UNLIKE_SAID
    ),
    "published-before-commit": Caught(
        SCORING,
        partial(hearing, worker=["consumer.before_commit:2"] * 2),
        "said twice of one cause",
    ),
    "gap-ignored": Caught(
        SCORING, partial(mishearing.twice_and_out_of_order, within=SOON), UNLIKE_SAID
    ),
    "neighbours-lost": Caught(
        SCORING, partial(mishearing.a_value_that_the_database_refuses, within=SOON), NOT_HEARD
    ),
    "erased-lead-revived": Caught(
        SCORING, mishearing.erased_while_events_are_on_their_way, "erased and still known"
    ),
    "poison-counted-in-memory": Caught(
        SCORING,
        mishearing.an_event_that_kills,
        "killed more often than it may be tried",
        beside=("deploys/killed-by-an-event",),
    ),
    "timer-without-lock": Caught(
        NOTIFIER, partial(crashing.ringing, workers=2), "a task that rang twice"
    ),
    "lead-not-locked": Caught(PIPELINE, partial(racing.edits, times=60), "versions unlike changes"),
    "sequence-before-lock": Caught(PIPELINE, partial(racing.edits, times=60), MISNUMBERED),
    "number-given-twice": Caught(INTAKE, restoring.a_publisher_alone, MISNUMBERED),
}


def test_every_planted_fault_has_a_scenario_that_must_catch_it() -> None:
    assert sorted(path.stem for path in PLANTED.glob("*.patch")) == sorted(CATCHES)


@pytest.mark.parametrize("name", CATCHES)
async def test_a_planted_fault_is_caught(
    name: str, make_rig: MakeRig, tmp_path_factory: pytest.TempPathFactory, figure: Figure
) -> None:
    caught = CATCHES[name]
    code = plant(*caught.beside, name, into=tmp_path_factory.mktemp("code"))
    rig = await make_rig(caught.service, code=code)
    began = time.monotonic()

    found = await caught.scenario(rig)

    print(f"planted {name}: {found or 'nothing found'}, {time.monotonic() - began:.0f} s")
    assert caught.broken in found
    figure(f"planted fault `{name}`", f"{caught.broken}: {found[caught.broken]}", goal="caught")


@pytest.mark.skipif(
    not is_full(), reason="the ordinary tests do nearly the same; of full size only"
)
@pytest.mark.parametrize("name", CATCHES)
async def test_without_the_planted_fault_its_scenario_finds_nothing(
    name: str, make_rig: MakeRig, tmp_path_factory: pytest.TempPathFactory
) -> None:
    caught = CATCHES[name]
    code = plant(*caught.beside, into=tmp_path_factory.mktemp("code"))

    assert await caught.scenario(await make_rig(caught.service, code=code)) == {}
