"""`handoff operations`: the workload that audits all the time."""

import typer

from handoff.cli.answers import WRONG_USE, end, this_site
from handoff.operations import OperationsSettings, run_operations
from handoff.services import SERVICES
from handoff.site import DATABASE, KAFKA, Site, variable
from shared.settings import WrongSetting, read
from shared.telemetry import logging


def operations() -> None:
    """Audit every minute until told to stop, and show on a port what was found.

    /livez, /readyz and /metrics are on HANDOFF_OPERATIONS_PORT; HANDOFF_AUDIT_SECONDS and
    HANDOFF_FULL_AUDIT_SECONDS say how often. `handoff up` runs one by itself.

    Example: HANDOFF_OPERATIONS_PORT=9100 handoff operations
    """
    settings, site = _settings(), _whole(this_site())
    logging.configure(settings, service="operations", role="audit")
    raise typer.Exit(run_operations(site, settings))


def _settings() -> OperationsSettings:
    try:
        return read(OperationsSettings)
    except WrongSetting as wrong:
        raise _wrong_use(str(wrong)) from None


def _whole(site: Site) -> Site:
    """Make sure that it is known where all is: an audit of some of it would say little."""
    names = [variable(DATABASE, each) for each in SERVICES if each.name not in site.databases]
    names += [] if site.kafka else [KAFKA]
    if names:
        raise _wrong_use(f"an audit needs every database, and Kafka: set {', '.join(names)}")
    return site


def _wrong_use(said: str) -> typer.Exit:
    return end(f"handoff operations: {said}", WRONG_USE)
