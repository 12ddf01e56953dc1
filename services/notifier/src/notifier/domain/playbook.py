"""A playbook: one rule that turns an event into one follow-up task.

Says which events can trigger one, what can be asked of them, and by when the task is due. That
an event makes a task only once is seen to by the use case and by the database.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from notifier.domain import title

FACTS: Mapping[str, frozenset[str]] = {
    "deal.opened": frozenset({"stage", "grade"}),
    "deal.accepted": frozenset(),
    "deal.stage_changed": frozenset({"stage", "from_stage"}),
    "deal.reassigned": frozenset(),
    "deal.recycled": frozenset({"stage", "reason"}),
    "deal.won": frozenset(),
    "deal.lost": frozenset({"stage", "reason"}),
}
"""The events that can trigger a playbook, each with what a condition or a title can use of it."""

OF_LEAD = frozenset({"name", "company"})
"""What a title can use of the lead, whatever the event."""


class Role(StrEnum):
    """For whom a task is: the deal's owner, or marketing as a whole."""

    DEAL_OWNER = "deal_owner"
    MARKETING = "marketing"


class ImpossiblePlaybook(Exception):
    """A playbook that could never work as it is written; `field` is what to mend."""

    def __init__(self, field: str, advice: str) -> None:
        """Name the field and the fix."""
        self.field = field
        super().__init__(advice)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """An event as a playbook sees it.

    `informed_by` is the last event that its speaker had heard when it said this one: its cause,
    or the event itself. Ids of events are time-ordered, so two of these can be compared.
    """

    event_id: UUID
    event: str
    occurred_at: datetime
    informed_by: UUID
    facts: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Playbook:
    """On `event`, where every `condition` holds: a task for `role`, due after `due_in`.

    `grace` is the time from due to overdue. Both count from when the event occurred.
    """

    id: UUID
    name: str
    event: str
    condition: Mapping[str, str]
    task_kind: str
    title: str
    due_in: timedelta
    grace: timedelta
    role: Role

    def answers(self, trigger: Trigger) -> bool:
        """Tell whether this event asks for this playbook's task."""
        wanted = self.condition.items()
        return self.event == trigger.event and wanted <= trigger.facts.items()


def check(*, event: str, condition: Mapping[str, str], template: str) -> None:
    """Refuse a rule that could never apply, or a title that could not be filled in.

    Raises:
        ImpossiblePlaybook: naming the field.
    """
    if event not in FACTS:
        raise ImpossiblePlaybook("event", f"Use one of: {', '.join(FACTS)}.")
    facts = FACTS[event]
    for name in condition.keys() - facts:
        offered = ", ".join(sorted(facts)) or "none"
        raise ImpossiblePlaybook(
            f"condition/{name}", f"{event} cannot be asked for this; it offers: {offered}."
        )
    try:
        title.check(template, allowed=facts | OF_LEAD)
    except title.UnknownPlace as error:
        raise ImpossiblePlaybook("title", str(error)) from None
