"""What the processes of all services have in common: what they are told, and how one refuses.

Each role is a program of its own, which imports what it needs and no more: a service's `api.py`,
`worker.py` and `migrate.py`. `serving`, `working` and `migrating` run them.
"""

import argparse
import asyncio
from collections.abc import Collection, Generator
from contextlib import contextmanager
from importlib import import_module
from typing import TypeVar

from shared import crash_points
from shared.code import version_of
from shared.fitness import Unfit
from shared.loggers import get_logger
from shared.messaging.settings import WorkerSettings
from shared.settings import (
    DatabaseSettings,
    FaultSettings,
    TelemetrySettings,
    TracingSettings,
    WebSettings,
    WrongSetting,
    read,
)
from shared.telemetry import logging, metrics, spans, tracing

log = get_logger(__name__)

_NOT_SO, _WRONG_USE = 1, 2


class ServiceSettings(
    DatabaseSettings, WorkerSettings, WebSettings, TelemetrySettings, TracingSettings, FaultSettings
):
    """What every service needs to know; a service's own settings extend it."""


S = TypeVar("S", bound=ServiceSettings)


def package_of(service: str) -> str:
    """Return the import package of a service, which is also its database's name."""
    return service.replace("-", "_")


def read_settings(settings: type[S], parser: argparse.ArgumentParser) -> S:
    """Return the settings; where one is wrong, say which and why, and end the process."""
    try:
        return read(settings)
    except WrongSetting as wrong:
        return parser.exit(_WRONG_USE, f"{parser.prog}: {wrong}\n")


def introduce(settings: ServiceSettings, *, service: str, role: str) -> None:
    """Let logs, metrics and spans tell which process this is."""
    crash_points.arm(settings.crash_at)
    logging.configure(settings, service=service, role=role)
    version = version_of(service)
    metrics.BUILD.labels(service, role, version).set(1)
    export_spans(settings, service=service, role=role, version=version)


def export_spans(settings: ServiceSettings, *, service: str, role: str, version: str) -> None:
    """Export spans if that is wanted; only then is what it takes imported."""
    if not settings.otlp_endpoint:
        return
    exporting = import_module("shared.telemetry.exporting")
    who = {
        "service.namespace": "handoff",
        "service.name": service,
        "service.version": version,
        "service.instance.id": settings.instance,
        "handoff.role": role,
    }
    spans.export(exporting.Exporter(settings.otlp_endpoint, **who))
    tracing.sample(settings.trace_share)


@contextmanager
def noting(refused: list[Unfit], stop: asyncio.Event) -> Generator[None]:
    """End the process in order where it must not begin."""
    try:
        yield
    except Unfit as unfit:
        refused.append(unfit)
        stop.set()


def refuse(refused: Collection[Unfit]) -> int:
    """Return the exit code of a process that refused; say last of all why it did.

    Of a container that ended the last words are shown.
    """
    for unfit in refused:
        log.error("refuses_to_begin", said=str(unfit))
    return _NOT_SO if refused else 0
