"""What a batch will do: made in memory, from the positions under lock; nothing is written here."""

from collections import Counter
from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from shared.messaging import merging
from shared.messaging.parking import Parked
from shared.messaging.records import Delivery
from shared.messaging.stream import Streams, Verdict

Effects = Counter[tuple[str, str]]
"""How often something became of events, by topic and by what: see `metrics.HEARD`."""

Waiting = dict[tuple[str, UUID, int], Delivery]
"""Events that came before their turn, by topic, name and number."""

_PARKED_AS = {Verdict.GAP: "gap", Verdict.BEHIND: "behind", Verdict.CONFLICT: "conflict"}


@dataclass(slots=True)
class Plan:
    """What a batch will do: made in memory, from the positions under lock."""

    apply: list[Delivery] = field(default_factory=list[Delivery])
    park: list[Parked] = field(default_factory=list[Parked])
    erase: list[UUID] = field(default_factory=list[UUID])
    unpark: list[Delivery] = field(default_factory=list[Delivery])
    advance: list[Delivery] = field(default_factory=list[Delivery])
    repeat: list[Delivery] = field(default_factory=list[Delivery])

    def without(self, names: set[UUID]) -> None:
        """Take subjects out again: nothing is written for them."""
        self.apply = [d for d in self.apply if d.envelope.subject not in names]
        self.park = [p for p in self.park if p.delivery.envelope.subject not in names]
        self.unpark = [d for d in self.unpark if d.envelope.subject not in names]
        self.advance = [d for d in self.advance if d.envelope.subject not in names]
        self.repeat = [d for d in self.repeat if d.envelope.subject not in names]

    def effects(self, listened: Container[str]) -> Effects:
        """Count what becomes of the events; those of kinds that nobody listens to are ignored."""
        found = Counter[tuple[str, str]]()
        for delivery in self.apply:
            effect = "applied" if delivery.envelope.kind in listened else "ignored"
            found[delivery.envelope.topic, effect] += 1
        found.update((d.envelope.topic, "passed") for d in self.advance)
        found.update((d.envelope.topic, "duplicate") for d in self.repeat)
        found.update((p.delivery.envelope.topic, "parked") for p in self.park)
        return found

    def follow(self, known: Streams, delivery: Delivery, verdict: Verdict) -> None:
        """Note what a verdict leads to, and move the position with it."""
        envelope = delivery.envelope
        if verdict in (Verdict.APPLY, Verdict.ADVANCE):
            known.advance(envelope)
        if verdict is not Verdict.GAP and delivery.parked_id is not None:
            self.unpark.append(delivery)
        if verdict is Verdict.APPLY:
            self.apply.append(delivery)
        elif verdict is Verdict.ADVANCE:
            self.advance.append(delivery)
        elif verdict is Verdict.DUPLICATE:
            self.repeat.append(delivery)
        elif verdict in _PARKED_AS:
            known.parked.add((envelope.topic, envelope.sequence))
            self.park.append(Parked(delivery, _PARKED_AS[verdict]))
        if verdict is Verdict.CONFLICT:
            known.standing.parked_as = "conflict"

    def take_up(self, known: Streams, waiting: Waiting, delivery: Delivery) -> None:
        """Let the events take effect that waited for this one, in the database or in this batch."""
        while (found := _next(waiting, delivery)) is not None:
            delivery = found
            self.park = [parked for parked in self.park if parked.delivery is not found]
            verdict = Verdict.ADVANCE if delivery.envelope.blank else Verdict.APPLY
            self.follow(known, delivery, verdict)

    def forget(self, streams: Mapping[UUID, Streams], name: UUID) -> None:
        """Erase a lead: this overtakes what came before it in the batch, which is not applied."""
        names = merging.same_lead(streams, name)
        self.without(names)
        self.erase += sorted(names)
        streams[name].standing.erased = True
        streams[name].standing.parked_as = None


def _next(waiting: Waiting, delivery: Delivery) -> Delivery | None:
    envelope = delivery.envelope
    return waiting.pop((envelope.topic, envelope.subject, envelope.sequence + 1), None)
