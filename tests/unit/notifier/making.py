"""Makes what the notifier's unit tests begin with: valid things, of which a test names its own."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from notifier.domain.playbook import Playbook, Role, Trigger
from notifier.domain.rep import Rep
from notifier.domain.task import Task
from notifier.usecases.desk import Desk
from notifier.usecases.disqualify_lead import DisqualifyLead
from notifier.usecases.follow_deal import FollowDeal
from shared.contracts.lead import LeadCard
from shared.ids import DealId, LeadId, RepId, TaskId, new_id

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
ADA = LeadCard(first_name="Ada", last_name="Lovelace", company="Engines")


def a_playbook(
    event: str = "deal.opened", *, due_in: timedelta = HOUR, **other: object
) -> Playbook:
    given: dict[str, object] = {
        "id": new_id(),
        "name": "first contact",
        "event": event,
        "condition": {},
        "task_kind": "first_contact",
        "title": "First contact with {name}",
        "due_in": due_in,
        "grace": HOUR,
        "role": Role.DEAL_OWNER,
    }
    return Playbook(**{**given, **other})


def a_trigger(event: str = "deal.opened", *, cause: UUID | None = None, **facts: str) -> Trigger:
    event_id = new_id()
    return Trigger(
        event_id=event_id,
        event=event,
        occurred_at=NOW,
        informed_by=cause or event_id,
        facts=facts,
    )


@dataclass(frozen=True)
class ADeal:
    """A deal to which things happen."""

    lead_id: LeadId = field(default_factory=lambda: LeadId(new_id()))
    deal_id: DealId = field(default_factory=lambda: DealId(new_id()))
    owner_id: RepId = field(default_factory=lambda: RepId(new_id()))
    opened_for: LeadId | None = None

    def happens(
        self,
        event: str = "deal.opened",
        *,
        card: LeadCard | None = ADA,
        owner_id: RepId | None = None,
        cause: UUID | None = None,
        **facts: str,
    ) -> FollowDeal:
        return FollowDeal(
            lead_id=self.lead_id,
            opened_for=self.opened_for or self.lead_id,
            lead_version=1,
            deal_id=self.deal_id,
            owner_id=owner_id or self.owner_id,
            trigger=a_trigger(event, cause=cause, **facts),
            card=card,
        )


def a_task(*, due_at: datetime = NOW + HOUR, grace: timedelta = HOUR) -> Task:
    event_id, lead_id = new_id(), LeadId(new_id())
    return Task(
        id=TaskId(new_id()),
        playbook_id=new_id(),
        playbook="first contact",
        trigger_event_id=event_id,
        informed_by=event_id,
        lead_id=lead_id,
        opened_for=lead_id,
        deal_id=DealId(new_id()),
        owner_id=RepId(new_id()),
        role=Role.DEAL_OWNER,
        kind="first_contact",
        title="First contact with Ada Lovelace",
        due_at=due_at,
        next_at=due_at,
        grace=grace,
        created_at=NOW,
        updated_at=NOW,
    )


def a_disqualification(deal: ADeal, event_id: UUID, *, lead_version: int = 1) -> DisqualifyLead:
    """Return what scoring says of a deal's lead by the name that the deal was opened for."""
    said_of = deal.opened_for or deal.lead_id
    return DisqualifyLead(
        lead_id=deal.lead_id, said_of=said_of, lead_version=lead_version, event_id=event_id
    )


def a_desk_with(task: Task) -> Desk:
    return Desk(tasks={task.lead_id: {task.id: task}})


def a_rep() -> Rep:
    return Rep(
        id=RepId(new_id()),
        version=1,
        name="Grace Hopper",
        email="grace@example.com",
        state="active",
        created_at=NOW,
        updated_at=NOW,
    )


def tasks_of(deal: ADeal, desk: Desk) -> list[Task]:
    return list(desk.tasks.get(deal.lead_id, {}).values())
