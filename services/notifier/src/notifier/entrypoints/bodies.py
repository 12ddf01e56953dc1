"""What people may send, field by field. Whether a playbook makes sense is the domain's question."""

from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

from pydantic import (
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
)
from pydantic import field_validator as check_field

from notifier.domain.playbook import FACTS, Role
from shared.web.body import Body
from shared.web.faults import unfit
from shared.web.values import Entries, Instant, Text

_LONGEST = timedelta(days=366)


def _duration(value: Any, read: ValidatorFunctionWrapHandler) -> timedelta:  # noqa: ANN401  any JSON
    written_out = isinstance(value, str) and value.startswith("P")
    if not written_out and type(value) is not int:
        raise _no_duration()
    try:
        duration: timedelta = read(value)
    except ValidationError:
        raise _no_duration() from None
    if not timedelta() <= duration <= _LONGEST or duration.microseconds:
        raise unfit("duration_range", "must be whole seconds, and not more than 366 days")
    return duration


def _no_duration() -> Exception:
    return unfit("duration", "must be an ISO 8601 duration such as PT1H or P3D, or whole seconds")


Duration = Annotated[
    timedelta,
    WrapValidator(_duration),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "format": "duration"},
                {"type": "integer", "minimum": 0, "maximum": int(_LONGEST.total_seconds())},
            ],
            "examples": ["PT1H", 3600],
        }
    ),
]
Event = Annotated[str, Field(max_length=60, json_schema_extra={"enum": list(FACTS)})]
Kind = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,59}$", examples=["follow_up"])]
Title = Annotated[
    str,
    Text(200),
    Field(
        description="{name} and {company} are filled in, and what the event offers, as {stage}",
        examples=["Follow up on the proposal to {name}"],
    ),
]
Condition = Annotated[
    dict[Annotated[str, Text(30)], Annotated[str, Text(500)]],
    Entries(5),
    Field(
        description="what the event must say, such as its stage; empty: whatever it says",
        examples=[{"stage": "proposal"}],
    ),
]


class NewPlaybook(Body):
    """A rule: on this event, if the condition holds, make such a task."""

    name: Annotated[str, Text(100)] = Field(examples=["follow up"])
    event: Event
    condition: Condition = Field(default_factory=dict)
    task_kind: Kind
    title: Title
    due_in: Duration = Field(description="from when the event occurred to the due time")
    grace: Duration = Field(description="from due to overdue")
    role: Role = Field(default=Role.DEAL_OWNER, description="for whom the task is")
    enabled: bool = True


class PlaybookChange(Body):
    """What is to be different. What is left out stays; tasks that were made stay as they are."""

    name: Annotated[str, Text(100)] | None = None
    event: Event | None = None
    condition: Condition | None = None
    task_kind: Kind | None = None
    title: Title | None = None
    due_in: Duration | None = None
    grace: Duration | None = None
    role: Role | None = None
    enabled: bool | None = None

    @check_field("*", mode="before")
    @classmethod
    def _is_not_null(cls, value: Any) -> Any:  # noqa: ANN401  any JSON
        if value is None:
            raise unfit("null", "must not be null: leave it out to keep what it is")
        return value


class Snooze(Body):
    """A new due time."""

    until: Instant = Field(description="later than now, within 366 days")


class Reassignment(Body):
    """Who does it instead."""

    owner_id: UUID = Field(description="a rep's id")
