"""What to do about what the audit found: a sentence each, with the command where one helps."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from handoff.audit.behind import State
from handoff.audit.report import Behind, Broken, InKafka
from shared.clock import utc_now
from shared.contracts.catalogue import RETENTION_DAYS

_IN_KAFKA = timedelta(days=RETENTION_DAYS)


def advice(behind: Sequence[Behind], broken: Sequence[Broken], kafka: InKafka | None) -> list[str]:
    """Return what to do, the most certain first; empty: nothing."""
    return [
        *_missing(behind),
        *_never_sent(behind),
        *_ahead(behind),
        *_holes(kafka),
        *_broken(broken),
    ]


def _missing(behind: Sequence[Behind]) -> Iterator[str]:
    """A hearer passed over what Kafka or the archive still has: it can hear it again."""
    earliest: dict[tuple[str, str, str], datetime] = {}
    for each in behind:
        if each.state is State.MISSING and each.said_at:
            key = each.hearer, each.topic, each.publisher
            earliest[key] = min(each.said_at, earliest.get(key, each.said_at))
    for (hearer, topic, publisher), at in sorted(earliest.items()):
        if at < utc_now() - _IN_KAFKA:
            yield (
                f"{hearer} passed over events of {topic} that Kafka does not keep any more: "
                f"`handoff replay republish --service {publisher} --since {_time(at)}` "
                "sends them again from the archive; what was heard already changes nothing."
            )
        else:
            yield (
                f"{hearer} passed over events of {topic} (was its database restored?): "
                f"`handoff replay heal --service {hearer} --topic {topic} --since {_time(at)}` "
                "lets it hear them; what it heard already is a duplicate and changes nothing."
            )


def _never_sent(behind: Sequence[Behind]) -> Iterator[str]:
    """The publisher gave the number out and has the event no more: nothing can be sent again."""
    lost = {e.publisher for e in behind if e.state is State.MISSING and e.said_at is None}
    for publisher in sorted(lost):
        yield (
            f"{publisher} gave out numbers whose events it neither keeps in its archive nor in its "
            "outbox: only a backup of its database has them."
        )


def _ahead(behind: Sequence[Behind]) -> Iterator[str]:
    ahead: dict[str, set[str]] = defaultdict(set)
    for each in behind:
        if each.state is State.AHEAD:
            ahead[each.publisher].add(each.hearer)
    for publisher, hearers in sorted(ahead.items()):
        yield (
            f"{', '.join(sorted(hearers))} heard more than {publisher} knows of, so the database "
            f"of {publisher} was restored to an earlier time. Its relay holds (foreign_records): "
            "restore a later backup of it, or its write-ahead log up to the last commit; where "
            f"there is none, `handoff restore {publisher}` takes back what Kafka still has."
        )


def _holes(kafka: InKafka | None) -> Iterator[str]:
    if kafka is not None and kafka.holes:
        yield (
            "Kafka lost records that were acknowledged: `handoff replay republish --service S "
            "--since TIME`, with a time before the loss, sends them again from the archive of the "
            "service that said them, then `handoff replay heal` lets each hearer catch up."
        )


def _broken(broken: Sequence[Broken]) -> Iterator[str]:
    for service in sorted({each.service for each in broken if each.restored}):
        yield (
            f"{service} knows less of some leads than was said of them, since its database was "
            f"restored: `handoff restore {service} --list` names them, for a person to look at."
        )
    if not all(each.restored for each in broken):
        yield (
            "Where an invariant is broken, `handoff trace ID` shows how the lead came there, or, "
            "where the ID is a receipt, `GET /v1/submissions/ID` of marketing-intake what became "
            "of it. What each invariant holds: docs/operating.md, `Is anything missing?`."
        )


def _time(at: datetime) -> str:
    return f"{at.astimezone(utc_now().tzinfo):%Y-%m-%dT%H:%M:%SZ}"
