"""A real API server takes every installation, strictly, and what it makes of it comes up."""

import json
import subprocess
from collections.abc import Generator

import pytest
from tests.deploy.apiserver.cluster import Cluster, written
from tests.deploy.objects import WORKLOADS, of_kind, title
from tests.deploy.rendering import INSTALLATIONS, Installation, objects_of, rendered
from tests.deploy.supplied import by_script
from tests.deploy.versions import versions

pytestmark = pytest.mark.timeout(1800)  # the first of them may have to build it
_ROLLED_OUT_WITHIN = 90.0


@pytest.fixture(scope="module", params=INSTALLATIONS, ids=str)
def installation(request: pytest.FixtureRequest) -> Installation:
    """Each of them, after the one before was taken away."""
    chosen: Installation = request.param
    return chosen


@pytest.fixture(scope="module")
def answer(
    cluster: Cluster, installation: Installation
) -> Generator[subprocess.CompletedProcess[str]]:
    """What was said to it when it was applied."""
    yield cluster.apply(rendered(installation))
    cluster.remove([each for each in objects_of(installation) if each["kind"] != "Namespace"])


def test_the_api_server_takes_every_installation_without_a_word_of_warning(
    answer: subprocess.CompletedProcess[str], installation: Installation
) -> None:
    assert (answer.stderr, answer.returncode) == ("", 0)
    assert len(answer.stdout.splitlines()) == len(objects_of(installation)) > 0


def test_every_workload_rolls_out_and_every_job_completes(
    cluster: Cluster, answer: subprocess.CompletedProcess[str], installation: Installation
) -> None:
    assert answer.returncode == 0
    workloads = {title(each) for each in of_kind(objects_of(installation), *WORKLOADS)}

    assert cluster.left_undone(workloads, _ROLLED_OUT_WITHIN) == []


def test_the_secrets_that_the_script_makes_are_taken(cluster: Cluster) -> None:
    secrets = by_script("small")
    answer = cluster.ask("create", "--filename=-", told=written(secrets))
    cluster.remove(secrets)

    assert (answer.stderr, answer.returncode) == ("", 0)
    assert len(answer.stdout.splitlines()) == len(secrets) > 0


def test_it_is_of_the_newest_kubernetes_that_is_promised(cluster: Cluster) -> None:
    told = json.loads(cluster.do("version", "--output=json"))["serverVersion"]

    assert f"{told['major']}.{told['minor']}" == versions()["kubernetes"]["newest"]
