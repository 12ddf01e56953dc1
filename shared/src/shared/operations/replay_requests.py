"""What people may ask to be replayed, and what is wrong with what they asked.

The rules need the catalogue and a clock; whether offsets are really there only Kafka knows, so the
worker says that.
"""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field

from shared.contracts.catalogue import PARTITIONS, TOPICS, heard_by, said_by
from shared.messaging.replay.orders import Verb, Wanted
from shared.web import faults
from shared.web.body import Body
from shared.web.problems import FieldError, Problem
from shared.web.values import Instant, Text

Topic = Annotated[str, Text(200)]
Offset = Annotated[int, Field(strict=True, ge=0, le=2**63 - 2)]


class Replaying(Body):
    """What is to be replayed, and which part of it.

    `heal` hears a range of topics again: what is missing takes effect, the rest is a duplicate. The
    range is `since` (and `until`), or a `partition` of a topic with its offsets.
    `republish` sends again what was sent: `since` (and `until`), or all of one `lead_id`.
    `restore` takes back what this service had said and its restored database does not know of;
    from when on it finds out by itself.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"verb": "republish", "since": "2026-11-23T00:00:00Z", "dry_run": True}]
        }
    )

    verb: Verb
    topic: Topic | None = Field(None, description="only this topic", examples=["handoff.leads.v1"])
    since: Instant | None = Field(None, description="from this time on")
    until: Instant | None = Field(None, description="before this time; left out: up to now")
    partition: int | None = Field(None, strict=True, ge=0, lt=PARTITIONS, description="heal only")
    from_offset: Offset | None = Field(None, description="heal only: the first record")
    to_offset: Offset | None = Field(None, description="heal only: the last record")
    lead_id: UUID | None = Field(None, description="republish only: of this lead (or rep)")
    dry_run: bool = Field(default=False, description="count what would be done, and do nothing")

    def read(self, service: str, now: datetime) -> Wanted:
        """Return the order that this service's worker is to carry out.

        Raises:
            Problem: 422 that names the field: the parts do not go together.
        """
        ways = {"heal": self._heal, "republish": self._republish, "restore": self._restore}
        topics = ways[self.verb](service, now)
        return Wanted(topics=topics, **self.model_dump(exclude={"topic"}))

    def _restore(self, service: str, _now: datetime) -> tuple[str, ...]:
        for name in ("topic", "since", "until", "partition", "from_offset", "to_offset", "lead_id"):
            if getattr(self, name) is not None:
                raise _wrong(name, f"{name} does not go with restore: leave it out")
        said = said_by(service)
        if not said:
            raise _wrong(
                "verb", f"{service} says nothing, so there is nothing to take back: heal it"
            )
        return said

    def _heal(self, service: str, now: datetime) -> tuple[str, ...]:
        heard = heard_by(service)
        if not heard:
            hearers = sorted({hearer for topic in TOPICS for hearer in topic.hearers})
            raise _wrong("verb", f"{service} hears no topic: heal one of {', '.join(hearers)}")
        if self.lead_id is not None:
            raise _wrong("lead_id", "lead_id goes with republish: leave it out")
        topics = self._topics(heard, f"that {service} hears")
        if (self.partition, self.from_offset, self.to_offset) == (None, None, None):
            self._check_times(now, otherwise="partition, from_offset and to_offset")
        else:
            self._check_offsets(topics)
        return topics

    def _republish(self, service: str, now: datetime) -> tuple[str, ...]:
        for name in ("partition", "from_offset", "to_offset"):
            if getattr(self, name) is not None:
                raise _wrong(name, f"{name} goes with heal: leave it out")
        if self.lead_id is None:
            self._check_times(now, otherwise="lead_id")
        elif self.since or self.until:
            raise _wrong("lead_id", "lead_id goes without since and until: leave one out")
        return self._topics(said_by(service), f"on which {service} speaks")

    def _topics(self, known: tuple[str, ...], which: str) -> tuple[str, ...]:
        if self.topic is None:
            return known
        if self.topic not in known:
            raise _wrong("topic", f"topic must be one {which}: {' or '.join(known)}")
        return (self.topic,)

    def _check_times(self, now: datetime, *, otherwise: str) -> None:
        if self.since is None:
            raise _wrong("since", f"since is missing: add it, or {otherwise}", code="missing")
        if self.until is not None and self.since >= self.until:
            raise _wrong("since", "since must be before until: exchange them")
        if self.since >= now:
            raise _wrong("since", "since must be a time in the past")

    def _check_offsets(self, topics: tuple[str, ...]) -> None:
        if self.since or self.until:
            name = "since" if self.since else "until"
            raise _wrong(name, f"{name} does not go with a partition and offsets: leave one out")
        for name in ("partition", "from_offset", "to_offset"):
            if getattr(self, name) is None:
                detail = f"{name} is missing: partition, from_offset and to_offset go together"
                raise _wrong(name, detail, code="missing")
        if len(topics) > 1:
            names = " or ".join(topics)
            raise _wrong("topic", f"topic is missing: say whose offsets, {names}", code="missing")
        if (self.from_offset or 0) > (self.to_offset or 0):
            raise _wrong("from_offset", "from_offset must be at most to_offset: exchange them")


def _wrong(field: str, detail: str, *, code: str = "replay_range") -> Problem:
    return faults.refused(FieldError("body", f"#/{field}", code, detail))
