"""The `handoff` command: the one tool for people who run the system.

Exit codes: 0 done, 1 not so, 2 wrong use, or a setting that cannot be.
"""

import typer

from handoff.cli import breaker, keys, parked, replay, topics
from handoff.cli.audit import audit
from handoff.cli.bench import bench
from handoff.cli.demo import demo
from handoff.cli.doctor import doctor
from handoff.cli.down import down
from handoff.cli.operations import operations
from handoff.cli.restore import restore
from handoff.cli.scale import scale
from handoff.cli.status import status
from handoff.cli.trace import trace
from handoff.cli.up import up
from handoff.site import ENVIRONMENT

app = typer.Typer(
    name="handoff",
    help="Run Handoff on this machine, look into it, audit it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for command in (up, scale, down, status, doctor, bench):
    app.command()(command)
for command in (trace, audit, restore, operations, demo):
    app.command(epilog=ENVIRONMENT)(command)
app.add_typer(parked.app, name="parked")
app.add_typer(breaker.app, name="breaker")
app.add_typer(replay.app, name="replay")
app.add_typer(keys.app, name="keys")
app.add_typer(topics.app, name="topics")


def main() -> None:
    """Run the command that the arguments name."""
    app()


if __name__ == "__main__":
    main()
