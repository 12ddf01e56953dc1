"""`python -m lead_scoring api | worker | migrate`: reads the arguments, then hands over."""

import argparse
import sys

from lead_scoring import bootstrap
from lead_scoring.config import Settings


def main() -> int:
    """Run one role; return the process's exit code."""
    parser = argparse.ArgumentParser(prog="python -m lead_scoring", description=__doc__)
    parser.add_argument("role", choices=["api", "worker", "migrate"])
    parser.add_argument("--only", nargs="+", default=(), metavar="LOOP", help="of a worker's loops")
    arguments = parser.parse_args()
    settings = Settings()  # pyright: ignore[reportCallIssue]  the environment gives them
    if arguments.role == "migrate":
        return bootstrap.run_migrations(settings)
    if arguments.role == "api":
        return bootstrap.run_api(settings)
    return bootstrap.run_worker(settings, arguments.only)


if __name__ == "__main__":
    sys.exit(main())
