"""Spans: what is told of work, and that nothing is done where nobody asks."""

from collections.abc import Generator

import pytest

from shared.ids import new_id
from shared.telemetry import spans, tracing
from shared.telemetry.spans import Span

TRACE, REQUEST = "ab" * 16, "cd" * 8
KEPT = f"00-{TRACE}-{REQUEST}-01"
NOT_KEPT = f"00-{TRACE}-{REQUEST}-00"
UNREADABLE = [None, "", "a key", KEPT[:-1], f"ff{KEPT[2:]}", KEPT.upper(),
              f"00-{'0' * 32}-{REQUEST}-01", f"00-{TRACE}-{'0' * 16}-01"]  # fmt: skip


@pytest.fixture
def told() -> Generator[list[Span]]:
    told: list[Span] = []
    spans.export(told.append)
    tracing.sample(1.0)
    yield told
    spans.export(None)
    tracing.sample(0.0)


def trace_of(context: str | None) -> str:
    assert context is not None
    return context.split("-")[1]


@pytest.mark.parametrize("traceparent", UNREADABLE)
def test_what_cannot_be_read_begins_a_new_trace(traceparent: str | None) -> None:
    mine = tracing.begin(traceparent)

    assert trace_of(mine) != TRACE
    assert tracing.is_readable(mine)


@pytest.mark.parametrize("flags", ["00", "01", "03"])
def test_a_span_stays_in_the_trace_of_its_parent_and_keeps_what_that_says(flags: str) -> None:
    mine = tracing.begin(f"00-{TRACE}-{REQUEST}-{flags}")

    assert mine.startswith(f"00-{TRACE}-")
    assert REQUEST not in mine
    assert mine.endswith(f"-{flags}")


def test_where_nothing_is_exported_no_trace_is_kept() -> None:
    assert tracing.begin(None).endswith("-00")


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize(
    ("share", "least", "most"), [(0.0, 0, 0), (0.25, 150, 350), (1.0, 1000, 1000)]
)
def test_of_new_traces_the_share_is_kept(share: float, least: int, most: int) -> None:
    tracing.sample(share)
    kept = sum(tracing.is_kept(tracing.new_trace()) for _ in range(1000))

    assert least <= kept <= most


def test_a_request_is_told_below_its_sender(told: list[Span]) -> None:
    mine = tracing.begin(KEPT)
    spans.answered("POST /v1/leads", KEPT, began=5, status=202)
    (span,) = told

    assert (span.name, span.kind, span.context, span.parent) == (
        "POST /v1/leads", "server", mine, KEPT)  # fmt: skip
    assert span.began == 5 < span.ended
    assert not span.failed


@pytest.mark.parametrize(("status", "failed"), [(404, False), (499, False), (503, True)])
def test_a_request_failed_where_the_fault_is_ours(
    told: list[Span], status: int, *, failed: bool
) -> None:
    tracing.begin("nonsense")
    spans.answered("GET unmatched", "nonsense", began=5, status=status)
    (span,) = told

    assert (span.parent, span.failed) == (None, failed)


def test_a_trace_that_nobody_keeps_is_not_told(told: list[Span]) -> None:
    tracing.begin(NOT_KEPT)
    spans.answered("GET /v1/leads", NOT_KEPT, began=5, status=200)
    with spans.together("hear"):
        assert spans.part(NOT_KEPT, "lead.captured") == NOT_KEPT
        assert spans.part(None, "lead.captured") is None

    assert told == []


def test_each_part_of_a_batch_has_a_span_of_its_own_and_the_batch_has_links(
    told: list[Span],
) -> None:
    lead, others = new_id(), f"00-{'ef' * 16}-{REQUEST}-01"
    with spans.together("hear", "consumer"):
        mine = spans.part(KEPT, "lead.captured", subject=lead)
        theirs = spans.part(others, "lead.updated")
    first, second, whole = told

    assert (first.name, first.kind, first.context, first.parent) == (
        "hear lead.captured", "consumer", mine, KEPT)  # fmt: skip
    assert first.attributes == {"handoff.subject": str(lead)}
    assert (trace_of(mine), trace_of(second.context)) == (TRACE, "ef" * 16)
    assert (whole.name, whole.parent, whole.links) == ("hear batch", None, (mine, theirs))
    assert trace_of(whole.context) not in {TRACE, "ef" * 16}
    assert first.links == second.links == (whole.context,)
    assert first.ended == whole.ended


def test_work_that_raises_or_says_so_has_failed(told: list[Span]) -> None:
    with pytest.raises(ZeroDivisionError), spans.together("hear"):
        assert spans.part(KEPT, "lead.captured") == 1 / 0
    with spans.together("send"):
        spans.part(KEPT, "lead.captured")
        spans.fail()

    assert [span.failed for span in told] == [True] * 4


def test_outside_of_a_batch_a_context_is_handed_on_as_it_came(told: list[Span]) -> None:
    spans.fail()

    assert spans.part(KEPT, "lead.captured") == KEPT
    assert told == []


def test_where_nothing_is_exported_nothing_is_noted() -> None:
    with spans.together("hear"):
        assert spans.part(KEPT, "lead.captured") == KEPT
