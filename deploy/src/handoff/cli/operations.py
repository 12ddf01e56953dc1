"""`handoff operations`: the workload that audits all the time."""

import typer
from pydantic import ValidationError

from handoff.cli.answers import this_site
from handoff.operations import OperationsSettings, run_operations
from shared.telemetry import logging


def operations() -> None:
    """Audit every minute until told to stop, and show on a port what was found.

    /livez, /readyz and /metrics are on HANDOFF_OPERATIONS_PORT; HANDOFF_AUDIT_SECONDS and
    HANDOFF_FULL_AUDIT_SECONDS say how often. `handoff up` runs one by itself.

    Example: HANDOFF_OPERATIONS_PORT=9100 handoff operations
    """
    settings = _settings()
    logging.configure(settings, service="operations", role="audit")
    raise typer.Exit(run_operations(this_site(), settings))


def _settings() -> OperationsSettings:
    try:
        return OperationsSettings()
    except ValidationError as error:
        faults = [
            f"HANDOFF_{'_'.join(str(part) for part in fault['loc']).upper()}: {fault['msg']}"
            for fault in error.errors(include_input=False)
        ]
        raise typer.BadParameter("; ".join(faults)) from None
