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
from tests.hostile.documents import SERVICES, operations
from tests.hostile.targets import Target

_COMMAND = Path(sys.executable).with_name("schemathesis")
_SETTINGS = Path(__file__).with_name("schemathesis.toml")
_TIMES = 20 if os.environ.get("HANDOFF_FULL") else 1


async def asked(target: Target, *words: str) -> tuple[int | None, str]:
    """Let schemathesis ask; return how it ended, and what it says."""
    asking = await asyncio.create_subprocess_exec(
        _COMMAND,
        f"--config-file={_SETTINGS}",
        "run",
        f"{target.process.url}/openapi.json",
        "--no-color",
        *words,
        env={**os.environ, "HANDOFF_KEY": target.key},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await asking.communicate()
    return asking.returncode, said.decode()


@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("service", SERVICES)
async def test_what_a_document_says_is_so(target_of: TargetOf, service: str) -> None:
    """Sequences come first: they end early where much was made and closed before."""
    target = await target_of(service)
    logged = target.has_logged()
    ended, said = await asked(target, "--phases=stateful", f"--max-examples={30 * _TIMES}")

    assert ended == 0, said

    ended, said = await asked(
        target, "--phases=examples,coverage,fuzzing", f"--max-examples={5 * _TIMES}"
    )

    assert ended == 0, said
    assert f"Tested: {sum(each.service == service for each in operations())}\n" in said
    assert target.wrong_in_log(logged) == []
