"""A collector of spans for tests: takes OTLP over HTTP as a real one does, and shows what came."""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

_PATH = "/v1/traces"


@dataclass(frozen=True, slots=True)
class Told:
    """A span as it came. `who` is the process: its service, version, instance and role."""

    who: dict[str, Any]
    name: str
    kind: str
    trace: str
    id: str
    parent: str
    links: tuple[str, ...]
    attributes: dict[str, Any]
    failed: bool
    took: float

    @property
    def service(self) -> str:
        """The service that told it."""
        return self.who["service.name"]


@dataclass
class Collector:
    """What came so far; `raw` are the bytes of it."""

    url: str
    raw: list[bytes] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)

    def take(self, body: bytes) -> None:
        """Keep what somebody sent."""
        self.raw.append(body)
        self.told += _read(ExportTraceServiceRequest.FromString(body))

    def until(self, enough: Callable[[list[Told]], bool], seconds: float = 30.0) -> list[Told]:
        """Return the spans, once they are enough."""
        end = time.monotonic() + seconds
        while not enough(self.told):
            assert time.monotonic() < end, sorted({(t.service, t.name) for t in self.told})
            time.sleep(0.1)
        return list(self.told)


@contextmanager
def collecting() -> Generator[Collector]:
    """Collect during the block, on a port of its own."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.path == _PATH:
                collector.take(body)
            self.send_response(200 if self.path == _PATH else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing of each request."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    collector = Collector(f"http://127.0.0.1:{server.server_port}")
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _read(request: ExportTraceServiceRequest) -> list[Told]:
    return [
        _told(_values(resource.resource.attributes), span)
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def _told(who: dict[str, Any], span: Span) -> Told:
    return Told(
        who=who,
        name=span.name,
        kind=Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_").lower(),
        trace=span.trace_id.hex(),
        id=span.span_id.hex(),
        parent=span.parent_span_id.hex(),
        links=tuple(link.span_id.hex() for link in span.links),
        attributes=_values(span.attributes),
        failed=span.status.code == Status.STATUS_CODE_ERROR,
        took=(span.end_time_unix_nano - span.start_time_unix_nano) / 1e9,
    )


def _values(pairs: list[KeyValue]) -> dict[str, Any]:
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value") or "") for pair in pairs}
