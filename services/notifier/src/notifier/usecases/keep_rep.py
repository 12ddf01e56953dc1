"""Keep a rep: to whom tasks can be given, moved only upward by the rep's version."""

from dataclasses import dataclass
from datetime import datetime

from notifier.domain.rep import Rep
from notifier.usecases.desk import Desk
from shared.contracts.event import Event
from shared.ids import RepId


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepRep:
    """Sales said what a rep is now."""

    rep_id: RepId
    version: int
    name: str
    email: str
    state: str


def keep_rep(command: KeepRep, desk: Desk, *, now: datetime) -> list[Event]:
    """Take on what is known of the rep, unless something later is known."""
    known = desk.reps.get(command.rep_id)
    if known and known.version >= command.version:
        return []
    rep = Rep(
        id=command.rep_id,
        version=command.version,
        name=command.name,
        email=command.email,
        state=command.state,
        created_at=known.created_at if known else now,
        updated_at=now,
    )
    desk.keep(rep)
    return []
