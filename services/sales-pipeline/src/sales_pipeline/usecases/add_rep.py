"""Add a rep: somebody starts to sell."""

from dataclasses import dataclass
from datetime import datetime

from sales_pipeline.domain.rep import Rep, RepState, check_address
from sales_pipeline.usecases.desk import Desk
from shared.contracts.deal import RepChanged
from shared.contracts.event import Event
from shared.ids import RepId


@dataclass(frozen=True, slots=True, kw_only=True)
class AddRep:
    """A new rep; `fallback`: they get the deals that no active rep can take."""

    rep_id: RepId
    name: str
    email: str
    state: RepState = RepState.ACTIVE
    fallback: bool = False


def add_rep(command: AddRep, desk: Desk, *, now: datetime) -> list[Event]:
    """Take the rep into the team.

    Raises:
        RepEmailTaken: another rep has this address.
    """
    check_address(email=command.email, rep_id=command.rep_id, reps=desk.reps.values())
    rep = Rep(
        id=command.rep_id,
        name=command.name,
        email=command.email,
        state=command.state,
        created_at=now,
        updated_at=now,
    )
    desk.reps[rep.id] = rep
    desk.changed.add(rep.id)
    if command.fallback:
        desk.team().change_fallback(rep_id=rep.id, fallback=True)
        desk.changed.add(desk.team().id)
    return [what_others_may_know_of(rep, now=now)]


def what_others_may_know_of(rep: Rep, *, now: datetime) -> RepChanged:
    """Return the event that tells of a rep as they are now."""
    return RepChanged(
        rep_id=rep.id,
        rep_version=rep.version,
        name=rep.name,
        email=rep.email,
        state=rep.state,
        changed_at=now,
    )
