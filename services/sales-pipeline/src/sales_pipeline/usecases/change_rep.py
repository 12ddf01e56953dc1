"""Change a rep: another name or address, away or back, or the fallback owner from now on."""

from dataclasses import dataclass
from datetime import datetime

from sales_pipeline.domain.rep import RepState, check_address
from sales_pipeline.usecases.add_rep import what_others_may_know_of
from sales_pipeline.usecases.desk import Desk
from shared.contracts.event import Event
from shared.ids import RepId


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRep:
    """What is to change of a rep; absent: as it is."""

    rep_id: RepId
    name: str | None = None
    email: str | None = None
    state: RepState | None = None
    fallback: bool | None = None


def change_rep(command: ChangeRep, desk: Desk, *, now: datetime) -> list[Event]:
    """Change the rep; the others are told, unless it is as it was.

    Raises:
        UnknownRep: there is no such rep.
        RepEmailTaken: another rep has this address.
        FallbackRequired: the fallback owner would be gone.
    """
    rep, team = desk.rep(command.rep_id), desk.team()
    check_address(email=command.email or rep.email, rep_id=rep.id, reps=desk.reps.values())
    if command.fallback is not None and team.change_fallback(
        rep_id=rep.id, fallback=command.fallback
    ):
        desk.changed.add(team.id)
    changed = rep.change(
        name=command.name or rep.name,
        email=command.email or rep.email,
        state=command.state or rep.state,
        now=now,
    )
    if not changed:
        return []
    desk.changed.add(rep.id)
    return [what_others_may_know_of(rep, now=now)]
