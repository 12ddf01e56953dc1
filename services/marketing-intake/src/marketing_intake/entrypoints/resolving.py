"""One transaction of resolving: read, lock, read again, decide in memory, save, commit."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from marketing_intake.adapters import identities, leads, sources, submissions
from marketing_intake.adapters.identities import IdentityRows
from marketing_intake.adapters.phones import to_e164
from marketing_intake.adapters.submissions import OutOfStep, Pending
from marketing_intake.domain.mapping import read_fields
from marketing_intake.domain.source import Source
from marketing_intake.usecases.desk import Desk
from marketing_intake.usecases.resolve_submission import ResolveSubmission, resolve_submission
from shared import crash_points
from shared.database.direct import begin
from shared.ids import LeadId, id_from
from shared.messaging import outbox, subjects
from shared.messaging.outbox import Cause, Said
from shared.telemetry import spans


class Failed(Exception):
    """One submission cannot be resolved as it is; nothing was written."""

    def __init__(self, submission_id: UUID, cause: Exception) -> None:
        """Say which, and why."""
        super().__init__(str(submission_id))
        self.submission_id = submission_id
        self.cause = cause


@dataclass(frozen=True, slots=True)
class Resolving:
    """Resolves batches; `now` is the database's clock, `secret` that of the erased."""

    engine: AsyncEngine
    secret: bytes
    now: datetime

    async def resolve(self, batch: Sequence[Pending]) -> Mapping[str, int]:
        """Give every submission of the batch its outcome and commit; count the outcomes.

        Raises:
            Failed: this one cannot be resolved; resolve the others without it.
            OutOfStep: somebody else changed what was read; read it again.
        """
        async with begin(self.engine) as connection:
            known = await sources.load(connection, {one.source_id for one in batch})
            commands = [_read(one, known) for one in batch]
            desk = await self._load(connection, commands)
            said = self._decide(batch, commands, desk)
            await subjects.lock(connection, {event.subject for event, _ in said})
            await leads.save(connection, desk)
            await submissions.end(connection, batch, desk.resolutions)
            await outbox.say_all(connection, said)
            crash_points.reach("resolve.before_commit")
        return Counter(one.outcome for one in desk.resolutions)

    async def _load(
        self, connection: AsyncConnection, commands: Sequence[ResolveSubmission]
    ) -> Desk:
        """Lock everybody whom the batch could be about, and only then load them."""
        before = await self._identities(connection, commands)
        ids = before.lead_ids()
        if ids:
            held = await subjects.lock(connection, ids)
            moved = {name for name, subject in held.items() if subject.id != name}
            if moved or await self._identities(connection, commands) != before:
                raise OutOfStep
        loaded = await leads.load(connection, {LeadId(each) for each in ids})
        with_email = {lead.id for lead in loaded.values() if lead.text("email")}
        desk = Desk(leads=loaded, identities=before.book(with_email), erased=before.erased())
        await identities.read_sightings(connection, commands, desk)
        return desk

    async def _identities(
        self, connection: AsyncConnection, commands: Sequence[ResolveSubmission]
    ) -> IdentityRows:
        return await identities.read(connection, commands, secret=self.secret)

    def _decide(
        self, batch: Sequence[Pending], commands: Sequence[ResolveSubmission], desk: Desk
    ) -> list[Said]:
        said: list[Said] = []
        for one, command in zip(batch, commands, strict=True):
            try:
                events = resolve_submission(command, desk, now=self.now)
            except Exception as error:
                raise Failed(one.id, error) from error
            trace = spans.part(one.traceparent, "submission", submission_id=one.id)
            cause = Cause(correlation_id=one.id, traceparent=trace)
            said += [(event, cause) for event in events]
        return said


def _read(one: Pending, known: Mapping[UUID, Source]) -> ResolveSubmission:
    try:
        source = known[one.source_id]
        fields: Any = json.loads(one.body)
        return ResolveSubmission(
            submission_id=one.id,
            source=source,
            said=read_fields(cast("dict[str, object]", fields), source=source, phones=to_e164),
            received_at=one.received_at,
            new_lead_id=LeadId(id_from(one.id, "lead")),
            content_hash=one.content_hash,
        )
    except Exception as error:
        raise Failed(one.id, error) from error
