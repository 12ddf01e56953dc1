"""Follow a deal: something happened on it, and playbooks turn that into tasks.

Start here. Every use case of this service has this shape: a command that says what happened or
is wanted, and a function that changes what lies on the desk and returns the events it says.
"""

from dataclasses import dataclass
from datetime import datetime

from notifier.domain import title
from notifier.domain.playbook import Playbook, Role, Trigger
from notifier.domain.task import Cause, Task
from notifier.usecases.desk import Desk, KnownLead
from notifier.usecases.keep_lead_card import KeepLeadCard, keep_lead_card
from notifier.usecases.saying import about
from shared.contracts.event import Event
from shared.contracts.lead import LeadCard
from shared.contracts.task import TaskCreated
from shared.ids import DealId, LeadId, RepId, TaskId, id_from


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowDeal:
    """`trigger` happened on a deal. `card` is the lead as sales knew it, where they said so.

    `opened_for` is the name by which the deal's events go.
    """

    lead_id: LeadId
    opened_for: LeadId
    lead_version: int
    deal_id: DealId
    owner_id: RepId
    trigger: Trigger
    card: LeadCard | None = None


def follow_deal(command: FollowDeal, desk: Desk, *, now: datetime) -> list[Event]:
    """Make the task of each playbook that answers to the trigger, once for this event."""
    if command.card:
        keep_lead_card(_card_of(command, command.card), desk, now=now)
    said: list[Event] = []
    for playbook in desk.playbooks:
        if playbook.answers(command.trigger) and not _was_made(playbook, command, desk):
            said += _make(playbook, command, desk, now=now)
    return said


def _make(playbook: Playbook, command: FollowDeal, desk: Desk, *, now: datetime) -> list[Event]:
    """Make one task; for a lead that is disqualified by then, a cancelled one, without a word.

    Topics overtake each other: the end is the same, whichever of the two was heard first.
    """
    lead = desk.lead(command.lead_id, now=now)
    task = _task(playbook, command, lead, now=now)
    desk.keep(task)
    if lead.forbids(task):
        task.cancel(cause=Cause.LEAD_DISQUALIFIED, now=now)
        return []
    return [
        TaskCreated(**about(task, desk=desk, now=now), playbook=task.playbook, due_at=task.due_at)
    ]


def _task(playbook: Playbook, command: FollowDeal, lead: KnownLead, *, now: datetime) -> Task:
    trigger = command.trigger
    due_at = trigger.occurred_at + playbook.due_in
    return Task(
        id=TaskId(id_from(trigger.event_id, playbook.id)),
        playbook_id=playbook.id,
        playbook=playbook.name,
        trigger_event_id=trigger.event_id,
        informed_by=trigger.informed_by,
        lead_id=command.lead_id,
        opened_for=command.opened_for,
        deal_id=command.deal_id,
        owner_id=command.owner_id if playbook.role is Role.DEAL_OWNER else None,
        role=playbook.role,
        kind=playbook.task_kind,
        title=title.fill_in(playbook.title, values={**trigger.facts, **_words_for(lead.card)}),
        due_at=due_at,
        next_at=due_at,
        grace=playbook.grace,
        created_at=now,
        updated_at=now,
    )


def _words_for(card: LeadCard) -> dict[str, str]:
    """A title must say something also of a lead that left no name."""
    name = " ".join(part for part in (card.first_name, card.last_name) if part)
    return {
        "name": name or card.email or card.phone or card.company or "a lead without a name",
        "company": card.company or "an unnamed company",
    }


def _was_made(playbook: Playbook, command: FollowDeal, desk: Desk) -> bool:
    return desk.was_made(
        command.lead_id, playbook_id=playbook.id, trigger_event_id=command.trigger.event_id
    )


def _card_of(command: FollowDeal, card: LeadCard) -> KeepLeadCard:
    return KeepLeadCard(lead_id=command.lead_id, version=command.lead_version, card=card)
