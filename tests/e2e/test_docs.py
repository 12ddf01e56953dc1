"""What the documents tell people to type works when it is typed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.e2e.shell_blocks import ROOT, documents, script
from tests.stack.system import System

WITH_COMMANDS = [document for document in documents() if script(document)]
_SECONDS = 100


@pytest.mark.parametrize("document", WITH_COMMANDS, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_commands_of_a_document_run_to_their_end(document: Path, system: System) -> None:
    commands = f"{Path(sys.executable).parent}{os.pathsep}{system.environment['PATH']}"

    ran = subprocess.run(  # noqa: S603  what our own documents say
        ["bash", "-euxo", "pipefail", "-c", script(document)],  # noqa: S607  the one on the path
        cwd=system.root,
        env={**system.environment, "PATH": commands},
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )

    assert ran.returncode == 0, f"{ran.stdout}\n{ran.stderr}"


def test_the_readme_and_the_operating_manual_show_commands_that_are_run() -> None:
    assert {ROOT / "README.md", ROOT / "docs" / "operating.md"} <= set(WITH_COMMANDS)
