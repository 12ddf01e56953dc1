"""Who sends or hears says so in the log: a line a batch, and none where there is nothing to do."""

import asyncio
import json
from collections import Counter

from sqlalchemy.ext.asyncio import AsyncEngine
from structlog.testing import capture_logs
from structlog.typing import EventDict
from tests.integration.messaging.conftest import Tally, heard_of
from tests.integration.messaging.loops import a_consumer, a_relay, running, say
from tests.stack.waiting import until

from shared.ids import LeadId, new_id
from shared.settings import KafkaSettings

_IDLE_SECONDS = 1.5
COMPANIES = ("Acme of Anna Example", "Acme", "Acme and sons")


async def test_each_batch_that_is_sent_or_heard_is_a_line_and_an_idle_loop_writes_none(
    engine: AsyncEngine, kafka_settings: KafkaSettings, tally: Tally
) -> None:
    lead = LeadId(new_id())
    loops = a_relay(engine, kafka_settings), a_consumer(engine, kafka_settings, tally)

    async def all_heard() -> bool:
        return len(await heard_of(engine, lead)) == len(COMPANIES)

    with capture_logs() as logs:
        async with running(*loops):
            await say(engine, lead, *COMPANIES)
            await until(all_heard)
            await until(lambda: told(logs))
            before = len(logs)
            await asyncio.sleep(_IDLE_SECONDS)

            assert logs[before:] == []

    sent, heard = named(logs, "batch_sent"), named(logs, "batch_heard")
    assert {line["log_level"] for line in (*sent, *heard)} == {"info"}
    kinds = sum((line["kinds"] for line in sent), Counter[str]())
    assert kinds["lead.captured.v1"] >= len(COMPANIES)
    assert kinds.total() == sum(line["events"] for line in sent)
    assert {place.rpartition("/")[0] for line in heard for place in line["places"]} == {
        "handoff.leads.v1"
    }
    assert all(line["records"] == sum(line["places"].values()) for line in heard)
    assert all(0 < line["seconds"] < 60 for line in (*sent, *heard))
    assert "Anna" not in json.dumps(logs, default=str)


def named(logs: list[EventDict], name: str) -> list[EventDict]:
    return [line for line in logs if line["event"] == name]


async def told(logs: list[EventDict]) -> bool:
    """Tell whether the last batches have their lines: they are written after what they tell of.

    Who hears answers each lead with a score, which the relay sends too.
    """
    heard = sum(line["records"] for line in named(logs, "batch_heard"))
    sent = sum(line["events"] for line in named(logs, "batch_sent"))
    return heard >= len(COMPANIES) and sent >= 2 * len(COMPANIES)
