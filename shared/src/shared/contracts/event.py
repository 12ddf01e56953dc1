"""The form of every event: a frozen record that names its wire type, its version and its lead.

Publishers are strict about what they say; hearers ignore fields that they do not know, so that a
field can be added before everybody knows it.
"""

from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, PlainSerializer


def _as_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


def _as_text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


Moment = Annotated[
    AwareDatetime,
    AfterValidator(_as_utc),
    PlainSerializer(_as_text, return_type=str, when_used="json"),
]
"""A point in time: always with a zone, always written in UTC with a `Z`."""


class Record(BaseModel):
    """A part of an event."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Event(Record):
    """Something that happened, said once by one publisher.

    `kind` is the wire type without its version; `version` rises only by a breaking change.
    `subject` is whose order the event keeps: the lead, or the rep.
    """

    kind: ClassVar[str]
    version: ClassVar[int] = 1
    erases: ClassVar[bool] = False

    @property
    def subject(self) -> UUID:
        """Whose stream this event belongs to."""
        raise NotImplementedError

    @classmethod
    def wire_type(cls) -> str:
        """Return what stands in `ce_type`."""
        return f"{cls.kind}.v{cls.version}"

    def to_wire(self) -> bytes:
        """Return the event's data as JSON."""
        return self.model_dump_json(exclude_none=True).encode()

    @classmethod
    def from_wire(cls, data: bytes) -> Any:  # noqa: ANN401  pydantic's own return type is Self
        """Read an event of this class.

        Raises:
            pydantic.ValidationError: the data is not this event.
        """
        return cls.model_validate_json(data)


class LeadEvent(Event):
    """An event about a lead: it carries the version of the lead that its speaker knew."""

    lead_id: UUID
    lead_version: int

    @property
    def subject(self) -> UUID:
        """The lead."""
        return self.lead_id
