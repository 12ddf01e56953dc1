"""What a service gives the consumer, and what the consumer gives the service."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.contracts.envelope import Envelope
from shared.contracts.event import Event

D = TypeVar("D", bound="Desk")
E_co = TypeVar("E_co", bound=Event, covariant=True)


@dataclass(frozen=True, slots=True)
class Heard(Generic[E_co]):
    """An event that is next in its stream. `subject` is whose it is, aliases resolved.

    Of a merge, `subject` is the lead that stays and `merged` the one that goes.
    """

    event: E_co
    envelope: Envelope
    subject: UUID
    merged: UUID | None = None

    @property
    def subjects(self) -> tuple[UUID, ...]:
        """Return everybody whom the event is about: all of them are needed on the desk."""
        return (self.subject,) if self.merged is None else (self.subject, self.merged)


class Desk(Protocol):
    """What a service loaded for a batch, for its use cases to work on in memory."""

    def leave(self, subject: UUID) -> None:
        """Forget one subject: its use case failed, so nothing of it may be saved.

        Of leads that were to be merged each is left.
        """
        ...


Handler = Callable[[D, Heard[Any], datetime], Sequence[Event]]


class Hearer(Protocol[D]):
    """A service as the consumer sees it."""

    @property
    def subscriptions(self) -> Mapping[type[Event], Handler[D]]:
        """The one table: event class to the function that calls its use case.

        It returns the events that are said in consequence. Kinds that are not in the table only
        advance the position. `LeadErased` never comes here: see `forget`.
        """
        ...

    async def load(self, connection: AsyncConnection, heard: Sequence[Heard[Any]]) -> D:
        """Load what the batch needs, one SELECT a table; the subjects are locked already."""
        ...

    async def save(self, connection: AsyncConnection, desk: D) -> None:
        """Write what the use cases changed, one statement a table."""
        ...

    async def move(self, connection: AsyncConnection, merged: UUID, *, into: UUID) -> None:
        """Let all that the service has of a merged lead be that of the lead which it became.

        What the use cases changed is saved already; whatever was not loaded is moved too.
        """
        ...

    async def forget(self, connection: AsyncConnection, subjects: Sequence[UUID]) -> None:
        """Blank erased persons in this service's own tables and stop their timers.

        The subjects may be unknown here.
        """
        ...
