"""What OpenTelemetry's exporter makes of our spans: read back from what it sends."""

import time

import pytest
from tests.stack.collector import Collector, collecting

from shared.telemetry.exporting import Exporter
from shared.telemetry.spans import Kind, Span

PARENT = f"00-{'ab' * 16}-{'01' * 8}-01"
MINE = f"00-{'ab' * 16}-{'02' * 8}-01"
OTHER = f"00-{'cd' * 16}-{'03' * 8}-01"


def a_span(*, kind: Kind = "consumer", failed: bool = False) -> Span:
    return Span(
        name="hear lead.captured", kind=kind, context=MINE, parent=PARENT, links=(OTHER,),
        began=1_000_000_000, ended=3_500_000_000, failed=failed,
        attributes={"handoff.subject": "a lead", "handoff.batch.size": 3},
    )  # fmt: skip


def exporter(collector: Collector, ending: str = "") -> Exporter:
    return Exporter(collector.url + ending, **{"service.name": "notifier", "handoff.role": "api"})


@pytest.mark.parametrize("ending", ["", "/", "/v1/traces"])
def test_a_span_arrives_as_it_was_told(ending: str) -> None:
    with collecting() as collector:
        export = exporter(collector, ending)
        export(a_span())
        export.close()
        (told,) = collector.told

    assert (told.name, told.kind, told.trace) == ("hear lead.captured", "consumer", "ab" * 16)
    assert (told.id, told.parent, told.links) == ("02" * 8, "01" * 8, ("03" * 8,))
    assert told.attributes == {"handoff.subject": "a lead", "handoff.batch.size": 3}
    assert (told.took, told.failed) == (2.5, False)
    assert (told.service, told.who["handoff.role"]) == ("notifier", "api")


@pytest.mark.parametrize("kind", ["server", "internal", "producer", "consumer"])
def test_every_kind_has_its_name_there(kind: Kind) -> None:
    with collecting() as collector:
        export = exporter(collector)
        export(a_span(kind=kind, failed=True))
        export.close()
        (told,) = collector.told

    assert (told.kind, told.failed) == (kind, True)


def test_a_collector_that_is_away_costs_the_end_of_a_process_little() -> None:
    with collecting() as collector:
        export = exporter(collector)
    for _ in range(10_000):  # more than may wait: nobody waits for room
        export(a_span())
    began = time.monotonic()
    export.close()

    assert time.monotonic() - began < 8
