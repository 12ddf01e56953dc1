"""How many statements a batch takes: as many for a hundred events as for one, once each table.

The cost of the walk is per batch, so this is what its speed stands on, on any machine.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from tests.faults.figures import Figure
from tests.integration.lead_scoring.conftest import a_card, a_touchpoint
from tests.integration.messaging.loops import a_relay, nothing_waits, running, say
from tests.integration.notifier.conftest import Deal
from tests.integration.sales_pipeline.conftest import qualified
from tests.load.statements import counted, place_of, repeated
from tests.stack.databases import opened
from tests.stack.fixtures import DatabaseFor
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


HEARERS: Sequence[tuple[str, Any, Callable[[], Event], int]] = [
    ("lead_scoring", ScoringHearer(Desks()), captured, 12),
    ("sales_pipeline", PipelineHearer(), qualified, 14),
    ("notifier", NotifierHearer(), opened_deal, 12),
]


@pytest.mark.parametrize(
    ("service", "hearer", "event", "most"), HEARERS, ids=[each[0] for each in HEARERS]
)
async def test_a_consumers_batch_reads_and_writes_each_table_once_however_many_events_it_has(
    database_for: DatabaseFor,
    figure: Figure,
    service: str,
    hearer: Any,
    event: Callable[[], Event],
    most: int,
) -> None:
    async with opened(await database_for(service)) as engine:
        others = Others(Batch(engine, hearer, SINCE_LONG_AGO))
        await others.say(event())
        with counted(engine) as of_one:
            await others.say(event())
        with counted(engine) as of_many:
            await others.say(*(event() for _ in range(MANY)))

    figure(f"statements of a consumer's batch, {service}", len(of_many), goal=f"≤ {most}")
    assert sorted(of_many) == sorted(of_one)
    assert repeated(of_many) == {}
    assert len(of_many) <= most, of_many


async def test_a_relays_batch_is_read_by_one_statement_and_archived_by_one(
    database_for: DatabaseFor, kafka_settings: KafkaSettings
) -> None:
    url = await database_for("marketing_intake")
    async with opened(url) as engine, opened(url) as of_relay:
        for _ in range(BATCHES):
            await say(engine, new_id(), *("ACME" for _ in range(ROWS_A_BATCH)))
        with counted(of_relay, in_vain=False) as sent:
            async with running(a_relay(of_relay, kafka_settings)):
                await until(lambda: nothing_waits(engine))

    places = Counter(place for place in map(place_of, sent) if "outbox" in place)
    assert places == {"read outbox": BATCHES, "write outbox": BATCHES}
