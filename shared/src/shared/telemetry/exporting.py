"""Hands spans to OpenTelemetry's exporter: OTLP over HTTP, in batches, by a thread of its own.

Imported only where spans are wanted. A span is built when it is over, from what `spans` knows:
with a tracer of the library each would cost ten times as much (`docs/decisions/0021`). Where it
goes, with which headers and certificates, the variables `OTEL_EXPORTER_OTLP_…` may say further.
"""

import atexit
import logging
import math
import time
from collections.abc import Sequence

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags
from typing_extensions import override

from shared.telemetry import metrics
from shared.telemetry.spans import Span

_PATH = "/v1/traces"
_MOST_WAITING = 8192
_ONE_EXPORT_SECONDS = 2.0
_LAST_EXPORTS_SECONDS = 2.0
_KINDS = {
    "server": SpanKind.SERVER,
    "internal": SpanKind.INTERNAL,
    "producer": SpanKind.PRODUCER,
    "consumer": SpanKind.CONSUMER,
}
_SCOPE = InstrumentationScope("handoff")
_UNSET, _ERROR = Status(StatusCode.UNSET), Status(StatusCode.ERROR)


class Counting(OTLPSpanExporter):
    """The library's exporter; counts what it sends, and gives up once it is too late."""

    too_late: float = math.inf

    @override
    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = SpanExportResult.FAILURE
        if time.monotonic() < self.too_late:
            result = super().export(spans)
        outcome = "sent" if result is SpanExportResult.SUCCESS else "lost"
        metrics.child(metrics.SPANS, outcome).inc(len(spans))
        return result


class Exporter:
    """Takes spans without waiting; what there is no room for is dropped."""

    def __init__(self, endpoint: str, **who: str) -> None:
        """Send to `endpoint`, in the name of this process (`service.name` and the like)."""
        logging.getLogger("opentelemetry").setLevel("ERROR")  # it warns of each failed export
        self._resource = Resource.create(who)
        self._counting = Counting(
            endpoint=endpoint.removesuffix("/").removesuffix(_PATH) + _PATH,
            timeout=_ONE_EXPORT_SECONDS,
        )
        self._processor = BatchSpanProcessor(self._counting, max_queue_size=_MOST_WAITING)
        atexit.register(self.close)

    def close(self) -> None:
        """Send what waits, for a few seconds: a collector that is away holds up no stop."""
        self._counting.too_late = time.monotonic() + _LAST_EXPORTS_SECONDS
        self._processor.shutdown()

    def __call__(self, span: Span) -> None:
        """Take a span."""
        self._processor.on_end(
            ReadableSpan(
                span.name,
                context=_context(span.context),
                parent=_context(span.parent) if span.parent else None,
                resource=self._resource,
                attributes=span.attributes,
                links=[Link(_context(each)) for each in span.links],
                kind=_KINDS[span.kind],
                status=_ERROR if span.failed else _UNSET,
                start_time=span.began,
                end_time=span.ended,
                instrumentation_scope=_SCOPE,
            )
        )


def _context(traceparent: str) -> SpanContext:
    _, trace, span, flags = traceparent.split("-")
    return SpanContext(
        int(trace, 16), int(span, 16), is_remote=True, trace_flags=TraceFlags(int(flags, 16))
    )
