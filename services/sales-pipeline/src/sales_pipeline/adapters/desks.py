"""Lays the desk and clears it: what use cases need is loaded, what they changed is saved.

One SELECT a table and one bulk write a table, for one lead or for five hundred. The caller holds
the subjects' locks; where the round robin may turn, the team is locked here, after them.
"""

from collections.abc import Collection

from sqlalchemy.ext.asyncio import AsyncConnection

from sales_pipeline.adapters import deals, leads, purchases, reps, timelines
from sales_pipeline.usecases.desk import Desk
from shared.ids import DealId, LeadId


async def lay(
    connection: AsyncConnection,
    *,
    lead_ids: Collection[LeadId],
    deal_ids: Collection[DealId] = (),
) -> Desk:
    """Load the leads' cards, their open deals and the deals that are named."""
    desk = Desk(leads=await leads.load(connection, lead_ids))
    for deal in await deals.load(connection, lead_ids=lead_ids, deal_ids=deal_ids):
        desk.lay_down(deal)
    return desk


async def add_team(connection: AsyncConnection, desk: Desk) -> None:
    """Lock the team, then load all reps: nobody else takes a turn until this commits."""
    desk.teams = await reps.lock_teams(connection)
    desk.reps = await reps.load(connection)


async def add_reps_and_customers(connection: AsyncConnection, desk: Desk) -> None:
    """Load what working on a deal may need: those whom it can go to, and who bought before."""
    desk.reps = await reps.load(connection)
    desk.customers = await purchases.load(connection, desk.leads.keys())


async def add_customers(connection: AsyncConnection, desk: Desk, leads: Collection[LeadId]) -> None:
    """Load who of these leads bought before."""
    desk.customers = await purchases.load(connection, leads)


async def save(connection: AsyncConnection, desk: Desk) -> None:
    """Write what was changed or made."""
    changed = desk.changed
    await leads.save(connection, [x for x in desk.leads.values() if x.id in changed])
    await reps.save(
        connection,
        reps=[x for x in desk.reps.values() if x.id in changed],
        teams=[x for x in desk.teams.values() if x.id in changed],
    )
    of_changed = [x for x in desk.deals.values() if x.id in changed]
    # A deal that ended makes room for the one that takes its place as the lead's open one.
    await deals.save(connection, sorted(of_changed, key=lambda deal: deal.is_open))
    await timelines.save(connection, desk.entries)
    await purchases.save(
        connection,
        customers=[x for x in desk.customers.values() if x.id in changed],
        orders=desk.orders,
    )
