"""The desk: what the edge has locked and loaded, for use cases to work on.

Knows no database: it only remembers what was changed or made, so that the edge can save that.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from notifier.domain.playbook import Playbook
from notifier.domain.rep import Rep
from notifier.domain.task import Task
from shared.aliases import Alias, is_about
from shared.contracts.lead import LeadCard
from shared.ids import DealId, LeadId, RepId, TaskId


class UnknownRep(Exception):
    """There is no rep of that id, as far as was heard."""

    def __init__(self, rep_id: RepId) -> None:
        """Name the id."""
        super().__init__(f"No rep {rep_id} is known here: send the id of one that sales has.")


@dataclass(frozen=True, slots=True)
class Disqualification:
    """A `LeadDisqualified`: its id, and the version of the lead that scoring knew."""

    event_id: UUID
    lead_version: int


@dataclass(slots=True, kw_only=True)
class KnownLead:
    """A lead as the notifier knows it: the card, in the highest version that was heard.

    Version 0: no card was heard yet. `disqualified` holds the last `LeadDisqualified` heard, by the
    name of which it was said: leads that merged have several.
    """

    id: LeadId
    created_at: datetime
    updated_at: datetime
    version: int = 0
    card: LeadCard = field(default_factory=LeadCard)
    disqualified: dict[LeadId, Disqualification] = field(
        default_factory=dict[LeadId, Disqualification]
    )
    aliases: dict[LeadId, Alias] = field(default_factory=dict[LeadId, Alias])

    def take_over(self, other: "KnownLead", *, alias: LeadId, survivor: Alias) -> None:
        """Become the one lead of two: what was said of either is kept."""
        self.aliases = {**self.aliases, **other.aliases, alias: survivor}
        self.disqualified = {**self.disqualified, **other.disqualified}

    def forbids(self, task: Task) -> bool:
        """Tell whether a task is older than a disqualification that is about it.

        What was said before a merge is about the tasks of one of the two leads only.
        """
        return any(
            task.informed_by < each.event_id
            and is_about(
                task.opened_for, said_of=name, version=each.lead_version, aliases=self.aliases
            )
            for name, each in self.disqualified.items()
        )


@dataclass(slots=True)
class Desk:
    """What is loaded, by id; `changed` holds the ids of what is to be saved.

    Of each lead that is loaded, all unfinished tasks lie here. `playbooks` are the enabled ones.
    """

    playbooks: Sequence[Playbook] = ()
    leads: dict[LeadId, KnownLead] = field(default_factory=dict[LeadId, KnownLead])
    reps: dict[RepId, Rep] = field(default_factory=dict[RepId, Rep])
    tasks: dict[LeadId, dict[TaskId, Task]] = field(
        default_factory=dict[LeadId, dict[TaskId, Task]]
    )
    changed: set[UUID] = field(default_factory=set[UUID])

    def lead(self, lead_id: LeadId, *, now: datetime) -> KnownLead:
        """Return the lead; one that nothing was heard of is new, and saved once it is kept."""
        unknown = KnownLead(id=lead_id, created_at=now, updated_at=now)
        return self.leads.setdefault(lead_id, unknown)

    def unfinished(self, lead_id: LeadId, *, deal_id: DealId | None = None) -> Iterator[Task]:
        """Go through what is still to be done for a lead, or for one of its deals."""
        for task in list(self.tasks.get(lead_id, {}).values()):
            if task.is_unfinished and deal_id in {None, task.deal_id}:
                yield task

    def task(self, task_id: TaskId) -> Task:
        """Return a task that the edge found and loaded."""
        return next(tasks[task_id] for tasks in self.tasks.values() if task_id in tasks)

    def was_made(self, lead_id: LeadId, *, playbook_id: UUID, trigger_event_id: UUID) -> bool:
        """Tell whether this event made this playbook's task before."""
        made = (
            (task.playbook_id, task.trigger_event_id)
            for task in self.tasks.get(lead_id, {}).values()
        )
        return (playbook_id, trigger_event_id) in made

    def keep(self, thing: Task | KnownLead | Rep) -> None:
        """See to it that a new or changed thing is saved."""
        if isinstance(thing, Task):
            self.tasks.setdefault(thing.lead_id, {})[thing.id] = thing
        elif isinstance(thing, KnownLead):
            self.leads[thing.id] = thing
        else:
            self.reps[thing.id] = thing
        self.changed.add(thing.id)

    def merge(self, merged: LeadId, *, into: LeadId) -> None:
        """Let the tasks of one lead be the other's, and forget what was known of the lead."""
        self.leads.pop(merged, None)
        for task in self.tasks.pop(merged, {}).values():
            task.lead_id = into
            self.keep(task)

    def leave(self, subject: UUID) -> None:
        """Forget what was loaded for one lead or rep: nothing of it may be saved."""
        self.leads.pop(LeadId(subject), None)
        self.tasks.pop(LeadId(subject), None)
        self.reps.pop(RepId(subject), None)
