"""What an operator looks for first, in every overlay and with every component: nothing to say."""

import pytest
from tests.deploy.checks.every import CHECKS, Check
from tests.deploy.rendering import INSTALLATIONS, Installation, objects_of


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("installation", INSTALLATIONS, ids=str)
def test_nothing_is_to_be_said_of(installation: Installation, check: Check) -> None:
    assert list(check(objects_of(installation))) == []
