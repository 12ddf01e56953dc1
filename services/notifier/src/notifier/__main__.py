"""`python -m notifier api | worker | migrate`: starts one process of this service."""

import argparse
import sys

from notifier import bootstrap
from notifier.config import Settings
from notifier.entrypoints.api import SERVICE
from shared.telemetry import logging


def main() -> int:
    """Run the role that the command line names."""
    parser = argparse.ArgumentParser(prog="notifier", description=__doc__)
    parser.add_argument("role", choices=("api", "worker", "migrate"))
    parser.add_argument(
        "--only", action="append", default=[], metavar="LOOP", help="of a worker's loops"
    )
    asked = parser.parse_args()
    settings = Settings()  # pyright: ignore[reportCallIssue]  pydantic reads the environment
    logging.configure(settings, service=SERVICE, role=asked.role)
    if asked.role == "migrate":
        return bootstrap.run_migrations(settings)
    if asked.role == "api":
        return bootstrap.run_api(settings)
    try:
        return bootstrap.run_worker(settings, asked.only)
    except bootstrap.UnknownLoop as error:
        parser.error(str(error))


if __name__ == "__main__":
    sys.exit(main())
