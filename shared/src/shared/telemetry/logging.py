"""Structured logs: one JSON object a line, or coloured text on a terminal.

Everything goes through structlog, the libraries' own loggers included. aiokafka repeats itself by
the thousand while a broker is away, so each of its sentences is let through once in ten seconds.
"""

import logging
import time

import structlog
from structlog.typing import Processor
from typing_extensions import override

from shared.settings import TelemetrySettings

_REPEAT_SECONDS = 10.0


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
    steps: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=steps,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _last(settings)],
    )
    structlog.configure(
        processors=[*steps, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service, role=role)
    _take_over_the_root(formatter, settings.log_level.upper())


def _last(settings: TelemetrySettings) -> Processor:
    if settings.log_format == "json":
        return structlog.processors.JSONRenderer()
    return structlog.dev.ConsoleRenderer()


def _take_over_the_root(formatter: logging.Formatter, level: str) -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    kafka_filter = OncePerWhile()
    handler.addFilter(lambda record: not _of_kafka(record) or kafka_filter.filter(record))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for chatty in ("aiokafka", "asyncio", "alembic", "sqlalchemy"):
        logging.getLogger(chatty).setLevel("WARNING")


def _of_kafka(record: logging.LogRecord) -> bool:
    return record.name.startswith("aiokafka")
