"""How many statements a batch takes: as many for a hundred events as for one, once each table.

The cost of the walk is per batch, so this is what its speed stands on, on any machine.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from tests.faults.figures import Figure
from tests.integration.lead_scoring.conftest import a_card, a_touchpoint
from tests.integration.messaging.loops import a_relay, nothing_waits, running, say
from tests.integration.notifier.conftest import Deal
from tests.integration.sales_pipeline.conftest import qualified
from tests.load.statements import place_of, repeated, sent
from tests.stack.databases import opened
from tests.stack.fixtures import DatabaseFor
from tests.stack.plans import explain_all, listening
from tests.stack.running import Stack
from tests.stack.voices import SINCE_LONG_AGO, Others
from tests.stack.waiting import until

from lead_scoring.adapters.desks import Desks
from lead_scoring.entrypoints.worker import ScoringHearer
from notifier.entrypoints.worker import NotifierHearer
from sales_pipeline.entrypoints.worker import PipelineHearer
from shared.contracts.event import Event
from shared.contracts.lead import LeadCaptured
from shared.ids import LeadId, new_id
from shared.messaging.batch import Batch
from shared.settings import KafkaSettings

MANY = 100
BATCHES = 2
ROWS_A_BATCH = 500


def captured() -> LeadCaptured:
    return LeadCaptured(
        lead_id=LeadId(new_id()), lead_version=1, lead=a_card(), touchpoint=a_touchpoint()
    )


def opened_deal() -> Event:
    return Deal().opened()


class Consuming(NamedTuple):
    """What a service hears, and how many statements a batch of it may take."""

    service: str
    hearer: Any
    event: Callable[[], Event]
    most: int


ALL = [
    Consuming("lead_scoring", ScoringHearer(Desks()), captured, 12),
    Consuming("sales_pipeline", PipelineHearer(), qualified, 14),
    Consuming("notifier", NotifierHearer(), opened_deal, 12),
]


@pytest.mark.parametrize("of", ALL, ids=[each.service for each in ALL])
async def test_a_consumers_batch_reads_and_writes_each_table_once_however_many_events_it_has(
    stack: Stack, database_for: DatabaseFor, figure: Figure, of: Consuming
) -> None:
    url = await database_for(of.service)
    await explain_all(stack, url)
    with listening() as plans:
        async with opened(url) as engine:
            others = Others(Batch(engine, of.hearer, SINCE_LONG_AGO))
            await others.say(of.event())
            await sent(plans)
            await others.say(of.event())
            of_one = await sent(plans)
            await others.say(*(of.event() for _ in range(MANY)))
            of_many = await sent(plans)

    figure(f"statements of a consumer's batch, {of.service}", len(of_many), goal=f"≤ {of.most}")
    assert sorted(of_many) == sorted(of_one)
    assert repeated(of_many) == {}
    assert 0 < len(of_many) <= of.most, of_many


async def test_a_relays_batch_is_read_by_one_statement_and_archived_by_one(
    stack: Stack, database_for: DatabaseFor, kafka_settings: KafkaSettings
) -> None:
    url = await database_for("marketing_intake")
    async with opened(url) as engine:
        for _ in range(BATCHES):
            await say(engine, new_id(), *("ACME" for _ in range(ROWS_A_BATCH)))
        await explain_all(stack, url)
        with listening() as plans:
            async with opened(url) as of_relay, running(a_relay(of_relay, kafka_settings)):
                await until(lambda: nothing_waits(engine))
            told = await sent(plans, in_vain=False)

    places = Counter(place for place in map(place_of, told) if "outbox" in place)
    assert places == {"read outbox": BATCHES, "write outbox": BATCHES}
