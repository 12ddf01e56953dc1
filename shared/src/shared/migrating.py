"""The job that brings a service's database up to date, and ends: `python -m <package>.migrate`.

A program of its own, because Alembic takes eleven megabytes that no process needs which runs on.
"""

import argparse
import asyncio

from shared.database import migrate
from shared.process import S, Service, read_settings
from shared.telemetry import logging


def main(service: Service[S]) -> int:
    """Migrate to the newest version; return the process's exit code."""
    parser = argparse.ArgumentParser(prog=f"python -m {service.package}.migrate")
    parser.parse_args()
    settings = read_settings(service, parser)
    logging.configure(settings, service=service.name, role="migrate")
    try:
        asyncio.run(migrate.upgrade(settings, service.package))
    except migrate.TablesInUse as error:
        parser.exit(1, f"{error}\n")
    return 0
