"""One batch, one transaction: judge, load, decide in memory, save, commit.

A use case that fails takes its own lead out of the batch before anything is written, under all
its names; the others never notice. What becomes of that lead is the consumer's business.
"""

import traceback
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared import crash_points
from shared.contracts import catalogue
from shared.contracts.envelope import Envelope
from shared.contracts.event import Event
from shared.contracts.lead import LeadMerged
from shared.database.direct import begin
from shared.messaging import ages, attempts, erasure, merging, outbox, parking, positions, subjects
from shared.messaging.heard import D, Heard, Hearer
from shared.messaging.merging import Became, NotLocked
from shared.messaging.plan import Effects, Plan, Waiting
from shared.messaging.records import Delivery
from shared.messaging.stream import Streams, Verdict
from shared.telemetry import metrics, spans


@dataclass(frozen=True, slots=True)
class Failure:
    """A use case, or the reading of an event, failed: nothing of its lead was written.

    `error` and `traceback` may quote the person's data: they may be kept only where an erasure
    takes them away. Elsewhere `name` is kept. `aliases` are the other names of the lead: their
    events were left out too.
    """

    delivery: Delivery
    error: str
    traceback: str
    aliases: frozenset[UUID] = frozenset()

    @classmethod
    def of(cls, delivery: Delivery, error: Exception, aliases: Iterable[UUID] = ()) -> "Failure":
        """Keep what a person will want to see."""
        text = "".join(traceback.format_exception(error))
        return cls(delivery, f"{type(error).__name__}: {error}", text, frozenset(aliases))

    @property
    def subjects(self) -> frozenset[UUID]:
        """Whose events were left out."""
        return self.aliases | {self.delivery.envelope.subject}

    @property
    def name(self) -> str:
        """The kind of error alone."""
        return self.error.partition(":")[0]


@dataclass(slots=True)
class Batch(Generic[D]):
    """Runs batches for one service. `effects` adds up what became of the events."""

    engine: AsyncEngine
    hearer: Hearer[D]
    started_at: Mapping[str, datetime]
    effects: Effects = field(default_factory=Counter[tuple[str, str]])
    listened: dict[str, set[int]] = field(init=False)
    applied: set[UUID] = field(init=False, default_factory=set[UUID])
    """The events that the last run gave to a use case."""

    def __post_init__(self) -> None:
        """Note which kinds, in which versions, the service listens to."""
        self.listened = {}
        for event in self.hearer.subscriptions:
            self.listened.setdefault(event.kind, set()).add(event.version)

    def refuse_unknown_versions(self, deliveries: Sequence[Delivery]) -> None:
        """Stop at an event that newer code wrote, before anything is done.

        Raises:
            catalogue.UnknownVersion: a kind that is listened to, in a version not known here.
        """
        for envelope in (delivery.envelope for delivery in deliveries):
            if envelope.version not in self.listened.get(envelope.kind, {envelope.version}):
                raise catalogue.UnknownVersion(f"{envelope.kind} version {envelope.version}")

    async def run(
        self, deliveries: Sequence[Delivery], *, counted: bool = False, released: bool = False
    ) -> list[Failure]:
        """Give the deliveries their effect in one transaction; return the leads left out.

        `counted`: tries were written for them, which go with their success.
        `released`: they were parked, and their leads being parked is no reason to wait.

        Raises:
            Exception: of the database or of loading and saving; then nothing was written.
        """
        named = merging.named(deliveries) if LeadMerged.kind in self.listened else set[UUID]()
        while True:
            try:
                with spans.together("hear", "consumer"):
                    return await self._run(deliveries, named, counted=counted, released=released)
            except NotLocked as more:
                named |= more.names

    async def _run(
        self, deliveries: Sequence[Delivery], named: set[UUID], *, counted: bool, released: bool
    ) -> list[Failure]:
        names = {d.envelope.subject for d in deliveries} | named
        whole = bool(named) or any(map(self._erases, deliveries))
        async with begin(self.engine) as connection:
            locked = await subjects.lock(connection, names, whole=whole)
            streams = await positions.load(connection, locked)
            if released:
                _open(streams.values(), deliveries)
            waiting = {} if released else await self.gaps(connection, streams)
            plan = self.plan(deliveries, streams, waiting)
            failures = await self._work(connection, plan, streams)
            if counted:
                await attempts.forget(connection, _done(deliveries, failures))
            crash_points.reach("consumer.before_commit")
        applied = (d.envelope for d in plan.apply if d.envelope.kind in self.listened)
        self.applied = {envelope.event_id for envelope in applied}
        self._measure(plan, streams)
        return failures

    async def gaps(self, connection: AsyncConnection, streams: Mapping[UUID, Streams]) -> Waiting:
        """Return the parked events that may be next once a missing one is here.

        Where they are released, each goes alone: none of them may follow another.
        """
        names = [n for n, known in streams.items() if known.parked and not known.standing.parked_as]
        if not names:
            return {}
        found = await parking.load(connection, names, ["gap", "busy", "behind"])
        return {
            (d.envelope.topic, name, d.envelope.sequence): d
            for name, parked in found.items()
            for d in parked
        }

    def plan(
        self,
        deliveries: Sequence[Delivery],
        streams: Mapping[UUID, Streams],
        waiting: Waiting,
    ) -> Plan:
        """Judge the deliveries, and move the positions in `streams` with them; nothing is written.

        `waiting`: what `gaps` found; what is taken up is taken out of it.
        """
        plan = Plan()
        for delivery in deliveries:
            envelope = delivery.envelope
            known = streams[envelope.subject]
            if self._erases(delivery) and not known.standing.erased:
                plan.forget(streams, envelope.subject)
                plan.advance.append(delivery)
                known.advance(envelope)
                continue
            verdict = known.judge(envelope, started_at=self.started_at[envelope.topic])
            before = len(plan.apply)
            plan.follow(known, delivery, verdict)
            if verdict is Verdict.GAP:
                waiting[envelope.topic, envelope.subject, envelope.sequence] = delivery
            elif verdict in (Verdict.APPLY, Verdict.ADVANCE) and not known.standing.erased:
                plan.take_up(known, waiting, delivery)
            self._unite(plan, streams, plan.apply[before:])
        return plan

    def _unite(
        self, plan: Plan, streams: Mapping[UUID, Streams], applied: Sequence[Delivery]
    ) -> None:
        """Treat the leads of a merge as one from here on; with one who is erased, both are."""
        if LeadMerged.kind not in self.listened:
            return
        for merge in filter(None, map(merging.merge_in, applied)):
            merging.unite(streams, merge)
            if streams[merge.surviving_id].standing.erased:
                plan.forget(streams, merge.surviving_id)

    def _erases(self, delivery: Delivery) -> bool:
        kinds = catalogue.KINDS.get(delivery.envelope.kind, {})
        event = kinds.get(delivery.envelope.version)
        return event is not None and event.erases

    async def _work(
        self, connection: AsyncConnection, plan: Plan, streams: dict[UUID, Streams]
    ) -> list[Failure]:
        heard, failures = self._read(plan.apply, streams)
        said: list[outbox.Said] = []
        became = Became()
        if heard:
            desk = await self.hearer.load(connection, [each for _, each in heard])
            said = self._decide(desk, heard, failures, streams, became)
            await self.hearer.save(connection, desk)
        failed = set(failures)
        plan.without(failed)
        for merged, into in became.without(failed):
            await self.hearer.move(connection, merged, into=into)
            await subjects.merge(connection, merged, into=into)
        await outbox.say_all(connection, said)
        await positions.save(connection, [i for i in streams.items() if i[0] not in failed])
        await parking.unpark(connection, plan.unpark)
        await parking.park(connection, plan.park)
        for conflict in (parked for parked in plan.park if parked.reason == "conflict"):
            lead = streams[conflict.delivery.envelope.subject].subject.id
            await parking.mark(connection, became.now(lead), "conflict")
        if plan.erase:
            await erasure.blank(connection, plan.erase)
            await self.hearer.forget(connection, plan.erase)
        return list({id(failure): failure for failure in failures.values()}.values())

    def _read(
        self, deliveries: Sequence[Delivery], streams: Mapping[UUID, Streams]
    ) -> tuple[list[tuple[Delivery, Heard[Any]]], dict[UUID, Failure]]:
        """Decode the events that the service listens to."""
        heard: list[tuple[Delivery, Heard[Any]]] = []
        failures: dict[UUID, Failure] = {}
        for delivery in deliveries:
            envelope = delivery.envelope
            if envelope.kind not in self.listened or envelope.subject in failures:
                continue
            try:
                event = catalogue.read(envelope)
            except catalogue.Unreadable as error:
                _fail(failures, streams, delivery, error)
                continue
            if event is not None:
                heard.append((delivery, _hear(event, delivery, streams)))
        readable = [each for each in heard if each[0].envelope.subject not in failures]
        return readable, failures

    def _decide(
        self,
        desk: D,
        heard: Sequence[tuple[Delivery, Heard[Any]]],
        failures: dict[UUID, Failure],
        streams: Mapping[UUID, Streams],
        became: Became,
    ) -> list[outbox.Said]:
        """Call the use cases, one event after the other; a failing lead leaves the desk."""
        said: list[tuple[UUID, outbox.Said]] = []
        for delivery, heard_as in heard:
            name = delivery.envelope.subject
            each = became.heard(heard_as)
            if name in failures or each.merged == each.subject:
                continue
            now = streams[name].subject.locked_at
            try:
                events = self._call(desk, each, now)
            except Exception as error:  # noqa: BLE001  a use case may fail in any way; its lead pays
                for subject in _fail(failures, streams, delivery, error):
                    desk.leave(subject)
                continue
            became.note(each)
            cause = outbox.Cause.of(delivery.envelope)
            said += [
                (name, (event, cause))
                for event in events
                if not _was_said(streams, event, delivery.envelope)
            ]
        return [each for name, each in said if name not in failures]

    def _call(self, desk: D, heard: Heard[Any], now: datetime) -> Sequence[Event]:
        return self.hearer.subscriptions[type(heard.event)](desk, heard, now)

    def count(self, topic: str, effect: str, events: int = 1) -> None:
        """Note what became of events, here and in the metrics."""
        self.effects[topic, effect] += events
        metrics.child(metrics.HEARD, topic, effect).inc(events)

    def _measure(self, plan: Plan, streams: Mapping[UUID, Streams]) -> None:
        for envelope in (delivery.envelope for delivery in plan.apply):
            now = streams[envelope.subject].subject.locked_at
            ages.measure(envelope, now, listened=envelope.kind in self.listened)
        for (topic, effect), events in plan.effects(self.listened).items():
            self.count(topic, effect, events)


def _was_said(streams: Mapping[UUID, Streams], event: Event, cause: Envelope) -> bool:
    """Tell whether Kafka has the event of the database that was before this one was restored."""
    known = streams.get(event.subject)
    return known is not None and known.was_said(wire_type=event.wire_type(), cause=cause.event_id)


def _done(deliveries: Sequence[Delivery], failures: Sequence[Failure]) -> list[UUID]:
    failed = {name for failure in failures for name in failure.subjects}
    return [d.envelope.event_id for d in deliveries if d.envelope.subject not in failed]


def _open(streams: Iterable[Streams], deliveries: Sequence[Delivery]) -> None:
    """Judge released events as if they and their leads had never been parked."""
    released = {(d.envelope.topic, d.envelope.sequence) for d in deliveries}
    for known in streams:
        known.standing.parked_as = None
        known.parked -= released


def _hear(event: Event, delivery: Delivery, streams: Mapping[UUID, Streams]) -> Heard[Any]:
    envelope = delivery.envelope
    if isinstance(event, LeadMerged):
        merged, into = (streams[e].subject.id for e in (event.merged_id, event.surviving_id))
        return Heard(event, envelope, into, merged=merged)
    return Heard(event, envelope, streams[envelope.subject].subject.id)


def _fail(
    failures: dict[UUID, Failure],
    streams: Mapping[UUID, Streams],
    delivery: Delivery,
    error: Exception,
) -> set[UUID]:
    """Leave out a lead under all its names; return what lies on the desk of it."""
    names = merging.same_lead(streams, delivery.envelope.subject)
    failures.update(dict.fromkeys(names, Failure.of(delivery, error, names)))
    return {streams[name].subject.id for name in names}
