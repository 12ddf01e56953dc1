"""The integration suite on Postgres and Kafka that testcontainers starts.

In full (`HANDOFF_FULL=1`) all of it, else parts that need both, and no brokers of their own.
"""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.deploy import images
from tests.deploy.engine import Engine
from tests.deploy.standins.making import make
from tests.deploy.standins.table import KAFKA, POSTGRES
from tests.faults.figures import Figure, is_full
from tests.stack.engine import Stack

from handoff.embedded.machine import Missing

pytestmark = pytest.mark.timeout(1800)  # the first one waits until all is made
_WHOLE = ("tests/contract", "tests/integration")
_SOME = (
    "tests/integration/lead_scoring",
    "tests/integration/replay",
    "tests/integration/handoff/test_the_tests_stack.py",
)
_ABREAST = ("-n", "3", "--dist", "loadfile")
_LAST_LINES = 60


@pytest.fixture
def engine_with_both(engine: Engine) -> Engine:
    """The engine with images of Postgres and Kafka."""
    try:
        for image in (POSTGRES, KAFKA):
            make(image, engine)
    except Missing as reason:
        pytest.skip(f"NOT TESTED: {reason}")
    return engine


def test_the_integration_suite_holds_in_containers(
    engine_with_both: Engine, tmp_path: Path, figure: Figure
) -> None:
    suite = _WHOLE if is_full() else _SOME
    place = tmp_path / "told"
    with place.open("w") as told:
        done = subprocess.run(  # noqa: S603  our own tests
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *_ABREAST, *suite],
            env={**engine_with_both.environment, "HANDOFF_STACK": Stack.CONTAINERS},
            cwd=images.ROOT, stdout=told, stderr=told, check=False,
        )  # fmt: skip
    lines = place.read_text().splitlines()
    (passed,) = re.findall(r"(\d+) passed", lines[-1]) or [0]
    figure("integration tests that pass in containers", passed, goal="all")

    assert done.returncode == 0, "\n".join(lines[-_LAST_LINES:])
    assert "stack: containers, started if a test asks for it" in lines
