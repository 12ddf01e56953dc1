"""The workflows, as GitHub would read them."""

import subprocess

import pytest
from tests.deploy.apiserver.building import tool
from tests.deploy.rendering import ROOT

from handoff.embedded.machine import Missing


@pytest.mark.timeout(1200)  # it waits until it is built
async def test_actionlint_finds_nothing_in_the_workflows() -> None:
    try:
        program = await tool("actionlint", "github.com/rhysd/actionlint/cmd/actionlint")
    except Missing as reason:
        pytest.skip(f"NOT TESTED: {reason}")
    told = subprocess.run(  # noqa: S603, ASYNC221  our own words
        [str(program), "-no-color"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert (told.returncode, told.stdout + told.stderr) == (0, "")
