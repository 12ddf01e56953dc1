"""What the pipeline said, and its restored database does not know: reps, and the ids of deals."""

from typing import Any

import httpx
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from tests.integration.sales_pipeline.conftest import Others, add_rep, deal_of, qualified
from tests.stack.voices import envelope

from sales_pipeline.entrypoints.recalling import recall
from shared.clock import utc_now
from shared.contracts.deal import RepChanged
from shared.ids import id_from, new_id
from shared.messaging import subjects


def rep_changed(version: int, **changes: Any) -> RepChanged:
    told: dict[str, Any] = {
        "rep_id": new_id(), "name": "Grace", "email": f"{new_id()}@sales.example",
        "state": "active", "changed_at": utc_now(),
    }  # fmt: skip
    return RepChanged(rep_version=version, **(told | changes))


async def recalled(engine: AsyncEngine, *events: RepChanged) -> None:
    async with engine.begin() as connection:
        await subjects.lock(connection, {each.rep_id for each in events})
        await recall(connection, [envelope(each, each.rep_version) for each in events])


async def test_a_rep_that_the_database_never_saw_is_there_again(
    engine: AsyncEngine, api: httpx.AsyncClient
) -> None:
    rep = rep_changed(1)

    await recalled(engine, rep, rep.model_copy(update={"rep_version": 2, "state": "away"}))

    shown = (await api.get(f"/v1/reps/{rep.rep_id}")).json()
    assert (shown["name"], shown["state"], shown["email"]) == ("Grace", "away", rep.email)


async def test_a_rep_that_was_changed_since_goes_above_what_was_said_before(
    engine: AsyncEngine, api: httpx.AsyncClient, connection: AsyncConnection
) -> None:
    rep = await add_rep(api, "ada")
    etag = {"If-Match": f'"{rep["version"]}"'}
    await api.patch(f"/v1/reps/{rep['id']}", json={"state": "away"}, headers=etag)
    await connection.exec_driver_sql(
        "UPDATE outbox SET sequence = sequence + 1 WHERE subject = $1 AND sequence = 2",
        (rep["id"],),
    )

    await recalled(engine, rep_changed(2, rep_id=rep["id"], name="Adele", email=rep["email"]))

    rows = await connection.exec_driver_sql(
        "SELECT convert_from(payload, 'UTF8')::jsonb AS told FROM outbox"
        " WHERE subject = $1 AND sequence = 3",
        (rep["id"],),
    )
    assert [row.told["rep_version"] for row in rows] == [3]


async def test_a_word_that_is_heard_again_opens_the_deal_of_before(
    api: httpx.AsyncClient, others: Others
) -> None:
    event = qualified()
    delivery = others.deliver(event)

    await others.repeat([delivery])

    deal = await deal_of(api, event.lead_id)
    assert deal["id"] == str(id_from(delivery.envelope.event_id, "deal"))
