"""How the commands show what takes its time: a spinner on a terminal, a line a step elsewhere."""

import time
from collections.abc import Generator
from contextlib import contextmanager

from rich.console import Console
from rich.table import Table

out = Console(soft_wrap=True, highlight=False)
err = Console(stderr=True, soft_wrap=True, highlight=False)

_wide = Console(width=400, highlight=False)


def show(table: Table) -> None:
    """Print a table: within a terminal's width, elsewhere as wide as it is."""
    (out if out.is_terminal else _wide).print(table)


@contextmanager
def step(title: str) -> Generator[None]:
    """Show a step while it runs, and how long it took."""
    began = time.monotonic()
    if not err.is_terminal:
        err.print(f"{title} ...")
    with err.status(title):
        yield
    err.print(f"[green]✓[/green] {title} [dim]{time.monotonic() - began:.1f} s[/dim]")
