"""What the services have in common: contracts, and the machinery that moves them.

Knows no service. From low to high: ids, clock, limits; settings; telemetry; contracts; kafka and
database; messaging and web. Entities stay with their services: a lead or a deal is not shared.
"""

import sys
from importlib import import_module


def _import_structlog_without_rich() -> None:
    """Import structlog as if there were no rich, which it loads at once wherever there is one.

    It is for tracebacks on a terminal, and takes five megabytes of every process. An image has
    none; here the command `handoff` brings it, and still finds it afterwards.
    """
    if sys.modules.get("rich") is None:
        sys.modules["rich"] = None  # pyright: ignore[reportArgumentType]  as Python's manual says
        import_module("structlog")
        del sys.modules["rich"]


_import_structlog_without_rich()
