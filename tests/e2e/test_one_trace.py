"""One trace shows the way of a lead, from its request to its task, over all four services."""

from tests.e2e.walk import a_source, capture, doors, eventually, items, somebody
from tests.stack.collector import Collector, Told
from tests.stack.system import System

INTAKE, SCORING, PIPELINE, NOTIFIER = (
    "marketing-intake", "lead-scoring", "sales-pipeline", "notifier")  # fmt: skip
THE_WAY = [
    (INTAKE, "api", "POST /v1/leads"),
    (INTAKE, "worker", "resolve submission"),
    (INTAKE, "worker", "send lead.captured"),
    (SCORING, "worker", "hear lead.captured"),
    (SCORING, "worker", "send lead.qualified"),
    (PIPELINE, "worker", "hear lead.qualified"),
    (PIPELINE, "worker", "send deal.opened"),
    (NOTIFIER, "worker", "hear deal.opened"),
    (NOTIFIER, "worker", "send task.created"),
    (PIPELINE, "worker", "hear task.created"),
]


async def a_lead(system: System) -> str:
    """Let a lead go the whole way; return its id."""
    async with doors(system) as door:
        source = await a_source(door.intake)
        lead_id = await capture(door.intake, somebody(source_id=source["id"]))

        async def has_task() -> bool:
            return bool(await items(door.notifier, "/v1/tasks", lead_id=lead_id))

        await eventually(has_task)
    return lead_id


def ending(told: list[Told], lead_id: str) -> list[Told]:
    """Return the spans with which the way of a lead ends."""
    return [each for each in told if each.name == "hear task.created"
            and each.attributes["handoff.subject"] == lead_id]  # fmt: skip


def above(told: list[Told], span: Told) -> list[Told]:
    """Return a span and all above it, the first one first."""
    parents = [each for each in told if each.id == span.parent and each.trace == span.trace]
    return [*(above(told, parents[0]) if parents else []), span]


async def test_a_trace_goes_from_the_request_to_the_task(
    system: System, collector: Collector
) -> None:
    lead_id = await a_lead(system)
    collector.until(lambda told: bool(ending(told, lead_id)))
    (last,) = ending(collector.told, lead_id)
    told = collector.until(lambda told: len(above(told, last)) == len(THE_WAY))
    way = above(told, last)

    assert [(each.service, each.who["handoff.role"], each.name) for each in way] == THE_WAY
    assert {each.trace for each in way} == {last.trace}
    assert way[0].attributes == {"http.response.status_code": 201}
    assert [each.kind for each in way[:4]] == ["server", "internal", "producer", "consumer"]
    assert {each.attributes["handoff.subject"] for each in way[2:]} == {lead_id}
    assert all(each.took < 10 and not each.failed for each in way)

    stored = [each for each in told if each.trace == last.trace and each.name == "store submission"]
    assert [each.parent for each in stored] == [way[0].id]


async def test_what_was_done_for_many_at_once_has_links_to_each(
    system: System, collector: Collector
) -> None:
    lead_id = await a_lead(system)
    told = collector.until(lambda told: bool(ending(told, lead_id)))
    (last,) = ending(told, lead_id)
    batches = {each.id: each for each in told if each.name == "hear batch"}
    whole = batches[last.links[0]]

    assert last.id in whole.links
    assert whole.trace != last.trace
    assert whole.attributes == {"handoff.batch.size": len(whole.links)}
    assert whole.took == last.took
