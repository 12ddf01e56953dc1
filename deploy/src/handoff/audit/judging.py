"""Finds out why streams differ: reads all that bears on them, in an order that cannot deceive.

Offsets are read first, then the publisher, the hearer last: what the hearer's offset had passed by
then, the hearer has heard or parked, or it is missing.
"""

from collections.abc import Sequence

from handoff.audit import positions
from handoff.audit.behind import KEPT, Heard, Said, State, Stream, state_of
from handoff.audit.comparison import Comparison
from handoff.audit.marks import Groups, Marks
from handoff.audit.report import Behind

Judged = tuple[Stream, State | None]


async def judge(comparison: Comparison, groups: Groups) -> None:
    """Judge the suspects anew; those that are level, or do not have to be, are suspects no more."""
    marks = await groups.marks(comparison.hearer)
    judged = [(stream, state_of(stream)) for stream in await _streams(comparison, marks)]
    comparison.kafka_answered = marks is not None
    comparison.excused += sum(
        stream.said.last for stream, state in judged if state is None and not stream.heard.last
    )
    comparison.behind = await _confirmed(comparison, judged)
    comparison.suspects = [each.subject for each in comparison.behind]


def detail_of(stream: Stream, state: State) -> str | None:
    """Return what is known of the cause, in words."""
    if state in KEPT:
        return ": ".join(part for part in (stream.heard.reason, stream.heard.error) if part)
    if state is State.OUTBOX and stream.said.held:
        return f"held, because Kafka does not take it: {stream.said.held}"
    if state is State.IN_FLIGHT and not stream.kafka_answered:
        return "Kafka did not say how far the hearer has read"
    return None


async def _streams(comparison: Comparison, marks: Marks | None) -> list[Stream]:
    topic, suspects = comparison.topic.name, comparison.suspects
    said = await positions.said(comparison.publisher_views, topic, suspects)
    sent = await positions.sent(comparison.publisher_views, topic, suspects)
    heard = await positions.heard(comparison.hearer_views, topic, suspects)
    started_at = await positions.started_at(comparison.hearer_views, topic)
    found: list[Stream] = []
    for subject in suspects:
        theirs, ours = said.get(subject, Said(0)), heard.get(subject, Heard())
        missing = sent.get((subject, ours.last + 1))
        place = (topic, missing.partition) if missing and missing.partition is not None else None
        found.append(
            Stream(
                subject=subject,
                said=theirs,
                heard=ours,
                started_at=started_at,
                missing=missing,
                latest=sent.get((subject, theirs.last)),
                mark=marks.get(place) if marks and place else None,
                kafka_answered=marks is not None,
            )
        )
    return found


async def _confirmed(comparison: Comparison, judged: Sequence[Judged]) -> list[Behind]:
    """Return the streams that are not level. A hearer that was read later may only seem ahead."""
    ahead = [stream.subject for stream, state in judged if state is State.AHEAD]
    now = await positions.said(comparison.publisher_views, comparison.topic.name, ahead)
    return [
        _behind(comparison, stream, state)
        for stream, state in judged
        if state is not None
        and (state is not State.AHEAD or stream.heard.last > now.get(stream.subject, Said(0)).last)
    ]


def _behind(comparison: Comparison, stream: Stream, state: State) -> Behind:
    return Behind(
        subject=stream.subject,
        topic=comparison.topic.name,
        publisher=comparison.topic.publisher,
        hearer=comparison.hearer,
        said=stream.said.last,
        heard=stream.heard.last,
        state=state,
        said_at=stream.missing.at if stream.missing else None,
        detail=detail_of(stream, state),
    )
