"""Structured logs: one JSON object a line, or coloured text on a terminal.

Everything goes through structlog, the libraries' own loggers included. Those that repeat
themselves by the thousand while a broker or a collector is away may say each of their sentences
once in ten seconds.
"""

import logging
import sys
import time

import orjson
from structlog.typing import EventDict, Processor
from typing_extensions import override

from shared.loggers import structlog
from shared.settings import TelemetrySettings

_REPEAT_SECONDS = 10.0
_REPEATING = ("aiokafka", "opentelemetry")
_COMES_BY_ITSELF = "GroupCoordinatorNotAvailableError"
"""What brokers say to the first group that they ever have, and the library calls an error. One that
lasts ends the start of the client, which is told of."""


class OncePerWhile(logging.Filter):
    """Lets each sentence of a logger through once in `seconds`."""

    def __init__(self, *, seconds: float = _REPEAT_SECONDS) -> None:
        """Remember nothing yet."""
        super().__init__()
        self._seconds = seconds
        self._last: dict[str, float] = {}

    @override
    def filter(self, record: logging.LogRecord) -> bool:
        now = time.monotonic()
        sentence = str(record.msg)
        if now - self._last.get(sentence, -self._seconds) < self._seconds:
            return False
        self._last[sentence] = now
        return True


def configure(settings: TelemetrySettings, *, service: str, role: str) -> None:
    """Send all logs to standard error, each with the service and role that wrote it."""
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    steps: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    as_json = settings.log_format == "json"
    structlog.configure(
        processors=[*steps, _json_bytes if as_json else structlog.dev.ConsoleRenderer()],
        logger_factory=(
            structlog.BytesLoggerFactory(sys.stderr.buffer)
            if as_json
            else structlog.PrintLoggerFactory(sys.stderr)
        ),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service, role=role)
    last = _json_text if as_json else structlog.dev.ConsoleRenderer()
    _take_over_the_root(steps, last, level)


def _json_bytes(_logger: object, _method: str, event: EventDict) -> bytes:
    """Write a line without going through the standard library: a third of the time."""
    return orjson.dumps(event, default=str)


def _json_text(logger: object, method: str, event: EventDict) -> str:
    return _json_bytes(logger, method, event).decode()


def _take_over_the_root(steps: list[Processor], last: Processor, level: int) -> None:
    """Let the libraries' own loggers write the same lines."""
    handler = logging.StreamHandler()
    remove = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=steps, processors=[remove, last])
    )
    once = OncePerWhile()
    handler.addFilter(lambda record: not record.name.startswith(_REPEATING) or once.filter(record))
    handler.addFilter(lambda record: _COMES_BY_ITSELF not in record.getMessage())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for chatty in ("aiokafka", "asyncio", "alembic", "sqlalchemy"):
        logging.getLogger(chatty).setLevel("WARNING")
