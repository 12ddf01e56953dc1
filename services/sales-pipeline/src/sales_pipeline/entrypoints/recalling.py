"""The door for the pipeline's own words: what it said, and its restored database does not know.

A rep is all that a `RepChanged` tells, so reps are brought back. Deals come again as scoring's word
about them is heard again, under their former ids; what people did on them since does not.
"""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from sales_pipeline.adapters import reps
from sales_pipeline.domain.rep import Rep, RepEmailTaken, RepState, check_address
from shared.contracts import catalogue
from shared.contracts.deal import RepChanged
from shared.contracts.envelope import Envelope
from shared.ids import RepId
from shared.messaging import outbox
from shared.messaging.outbox import Counted


async def recall(connection: AsyncConnection, said: Sequence[Envelope]) -> None:
    """Have the reps again, and raise the versions of what was said of them since."""
    told = [
        (each, event)
        for each in said
        if not each.blank and isinstance(event := catalogue.read(each), RepChanged)
    ]
    if not told:
        return
    known = await reps.load(connection)
    changed: dict[RepId, Rep] = {}
    for _, event in told:
        rep = _as_told(event, known)
        if rep is not None:
            known[rep.id] = changed[rep.id] = rep
    counted = [Counted(e.topic, e.subject, e.sequence, event.rep_version) for e, event in told]
    for rep_id, by in (await outbox.raise_versions(connection, "rep_version", counted)).items():
        if RepId(rep_id) in known:
            changed[RepId(rep_id)] = known[RepId(rep_id)]
            changed[RepId(rep_id)].version += by
    await reps.save(connection, reps=changed.values(), teams=())


def _as_told(event: RepChanged, known: dict[RepId, Rep]) -> Rep | None:
    """Return the rep as it was said to be; None where another rep has that address by now."""
    rep_id = RepId(event.rep_id)
    try:
        check_address(email=event.email, rep_id=rep_id, reps=known.values())
    except RepEmailTaken:
        return None
    before = known.get(rep_id)
    if before and before.version >= event.rep_version:
        return None
    return Rep(
        id=rep_id,
        name=event.name,
        email=event.email,
        state=RepState(event.state),
        version=event.rep_version,
        created_at=before.created_at if before else event.changed_at,
        updated_at=event.changed_at,
    )
