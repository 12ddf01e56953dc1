"""What the OpenAPI documents say is so: schemathesis asks, also in sequences, and finds no untruth.

It makes its requests from the documents: what fits them, what does not, and what follows from
answers. How it does that, and what it leaves out, says `schemathesis.toml`.
"""

import asyncio
import os
import sys
from pathlib import Path

import pytest
from tests.hostile.conftest import TargetOf
from tests.hostile.documents import SERVICES

_COMMAND = Path(sys.executable).with_name("schemathesis")
_SETTINGS = Path(__file__).with_name("schemathesis.toml")
_EXAMPLES = 100 if os.environ.get("HANDOFF_FULL") else 5
"""Requests to an operation, beside those for each limit that its document names."""


@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("service", SERVICES)
async def test_what_a_document_says_is_so(target_of: TargetOf, service: str) -> None:
    target = await target_of(service)
    logged = target.has_logged()
    asking = await asyncio.create_subprocess_exec(
        _COMMAND,
        f"--config-file={_SETTINGS}",
        "run",
        f"{target.process.url}/openapi.json",
        f"--max-examples={_EXAMPLES}",
        "--no-color",
        env={**os.environ, "HANDOFF_KEY": target.key},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await asking.communicate()

    assert asking.returncode == 0, said.decode()
    assert target.wrong_in_log(logged) == []
