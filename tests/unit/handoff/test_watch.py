"""The loop that audits: a long audit is no silence, and one that stands still is given up."""

import asyncio

import pytest

from handoff import operations
from handoff.audit.topics import Tell
from handoff.operations import OperationsSettings, Watch
from handoff.site import Site
from shared import limits
from shared.telemetry.heartbeat import Heartbeat

SILENCE = 0.15
PORTION = 0.02


class Audits:
    """Stands in for the audit, and comes to an end only after so many portions."""

    def __init__(self) -> None:
        self.begun = self.portions = 0

    async def reconcile(self, *_: object, tell: Tell, **__: object) -> None:
        self.begun += 1
        for number in range(self.portions):
            tell("leads compared", number)
            await asyncio.sleep(PORTION)
        await asyncio.sleep(60)


@pytest.fixture
def audits(monkeypatch: pytest.MonkeyPatch) -> Audits:
    made = Audits()
    monkeypatch.setattr(operations, "reconcile", made.reconcile)
    return made


def watch() -> Watch:
    site = Site({}, {}, None)
    return Watch(site, OperationsSettings(), Heartbeat("audit", silence=SILENCE))


async def test_an_audit_that_takes_long_is_not_taken_for_dead(audits: Audits) -> None:
    watching = watch()
    running = asyncio.create_task(watching.run(asyncio.Event()))
    await asyncio.sleep(4 * SILENCE)
    dead = watching.heartbeat.is_dead()
    running.cancel()

    assert (audits.begun, dead) == (1, False)


async def test_an_audit_that_stands_still_is_given_up_and_begun_again(
    audits: Audits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "AUDIT_PORTION", 0.05)
    watching = watch()
    running = asyncio.create_task(watching.run(asyncio.Event()))
    async with asyncio.timeout(10):
        while audits.begun < 2:
            await asyncio.sleep(0.01)
    running.cancel()

    assert watching.heartbeat.held == "infrastructure"


async def test_an_audit_may_take_as_long_as_it_goes_on(
    audits: Audits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "AUDIT_PORTION", 20 * PORTION)
    audits.portions = 60
    running = asyncio.create_task(watch().run(asyncio.Event()))
    await asyncio.sleep(50 * PORTION)
    begun = audits.begun
    running.cancel()

    assert begun == 1
