"""Where every module's logger comes from: structlog, without what that would load beside.

structlog loads rich wherever there is one, for tracebacks on a terminal: five megabytes of every
process that runs for months. An image has no rich; where the command `handoff` brought it, it is
there for the command alone.
"""

import sys

_IS_LOADED = "rich" in sys.modules
if not _IS_LOADED:
    sys.modules["rich"] = None  # pyright: ignore[reportArgumentType]  "there is none", to Python

import structlog  # noqa: E402  only after that

if not _IS_LOADED:
    del sys.modules["rich"]

get_logger = structlog.get_logger
