"""What a loop says of itself, and what liveness and readiness make of it."""

import asyncio

from prometheus_client import REGISTRY

from shared import limits
from shared.telemetry.heartbeat import Heartbeats


class TestHeartbeats:
    def test_a_loop_that_turns_is_alive_and_not_held(self) -> None:
        heartbeats = Heartbeats()
        heartbeats.loop("relay").progress()

        assert heartbeats.dead() == []
        assert heartbeats.held() == {}

    def test_a_loop_that_neither_turns_nor_says_why_is_dead(self) -> None:
        heartbeats = Heartbeats()
        heartbeats.loop("relay").beaten_at -= limits.HEARTBEAT_SILENCE + 1

        assert heartbeats.dead() == ["relay"]

    def test_a_loop_that_is_held_is_never_dead_and_says_why(self) -> None:
        heartbeats = Heartbeats()
        relay = heartbeats.loop("relay")
        relay.hold("infrastructure")
        relay.beaten_at -= limits.HEARTBEAT_SILENCE + 1

        assert heartbeats.dead() == []
        assert heartbeats.held() == {"relay": "infrastructure"}

    def test_a_loop_that_stands_by_is_no_trouble(self) -> None:
        heartbeats = Heartbeats()
        relay = heartbeats.loop("relay")
        relay.hold("infrastructure")
        relay.stand_by()

        assert heartbeats.held() == {}


class TestTheAgeOfProgress:
    def test_it_rises_by_itself_and_begins_again_with_progress(self) -> None:
        heartbeats = Heartbeats()
        relay = heartbeats.loop("relay")
        relay.progressed_at -= 90
        heartbeats.loop("relay").beat()
        before = _exported("relay")
        relay.progress()

        assert before >= 90
        assert _exported("relay") < 1

    def test_what_stands_by_has_nothing_to_be_behind_with(self) -> None:
        heartbeats = Heartbeats()
        heartbeats.loop("relay").progressed_at -= 90
        heartbeats.loop("relay").stand_by()

        assert _exported("relay") < 1


def _exported(loop: str) -> float:
    return REGISTRY.get_sample_value("handoff_loop_seconds_since_progress", {"loop": loop}) or 0.0


async def test_a_wait_with_a_limit_of_its_own_does_not_count_as_silence() -> None:
    loop = Heartbeats(silence=0.06).loop("relay")
    async with loop.beating():
        await asyncio.sleep(0.15)
        waiting = loop.is_dead()
    await asyncio.sleep(0.1)

    assert (waiting, loop.is_dead()) == (False, True)
