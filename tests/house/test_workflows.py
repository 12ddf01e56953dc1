"""The workflows may do little, run what was looked at, and go by the doors that people use."""

import re
from pathlib import Path

import pytest
from tests.house import code
from tests.house.workflows import FILES, Workflow, complaints, read

from handoff.services import SERVICES

CHECK = read(code.ROOT / ".github/workflows/check.yml").text
_COMMIT = "@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1"
BROKEN = {
    "a tag instead of a commit": (_COMMIT, "@v7.0.1"),
    "a commit without its version": (" # v7.0.1", ""),
    "a commit that is cut short": (_COMMIT, "@3d3c42e # v7.0.1"),
    "what strangers send": ("  pull_request:\n", "  pull_request_target:\n"),
    "permissions for all jobs": ("permissions: {}", "permissions: read-all"),
    "a job without permissions": ("    permissions:\n      contents: read # the code\n", ""),
    "a job with all permissions": (":\n      contents: read # the code\n", ": write-all\n"),
    "a job that may write": ("contents: read", "contents: write"),
    "no time limit": ("    timeout-minutes: 20\n", ""),
    "runs beside each other": ("concurrency:\n", "env:\n"),
    "whatever is the latest": ("ubuntu-24.04", "ubuntu-latest"),
    "a secret in a run line": ("make check", "make check KEY=${{ secrets.KEY }}"),
    "text of a stranger in a run line": ("make check", "echo ${{ github.head_ref }}"),
    "a token that stays": ("          persist-credentials: false\n", "          lfs: true\n"),
}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_workflow_keeps_all_rules(path: Path) -> None:
    assert complaints(read(path)) == []


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_rule_is_seen(how: str) -> None:
    right, wrong = BROKEN[how]

    assert right in CHECK
    assert complaints(Workflow("check.yml", CHECK)) == []
    assert len(complaints(Workflow("check.yml", CHECK.replace(right, wrong)))) == 1


@pytest.mark.parametrize(("name", "door"), [("check", "make check"), ("test", ".ci/run")])
def test_a_workflow_goes_by_the_door_that_people_use(name: str, door: str) -> None:
    (job,) = read(code.ROOT / f".github/workflows/{name}.yml").jobs

    assert job.steps[-1]["run"] == door


def test_a_release_is_tested_and_has_an_image_of_every_service_and_of_operations() -> None:
    jobs = {job.name: job.content for job in read(code.ROOT / ".github/workflows/release.yml").jobs}
    built = jobs["images"]["strategy"]["matrix"]["target"]

    assert built == [*(service.name for service in SERVICES), "operations"]
    assert {"check", "test", "notes", "scan"} == set(jobs["images"]["needs"])
    assert jobs["release"]["needs"] == "images"
    assert " images.yaml images/*.cdx.json" in jobs["release"]["steps"][-1]["run"]


@pytest.mark.parametrize(("name", "job"), [("release", "scan"), ("audit", "images")])
def test_a_scan_is_of_every_service_and_of_operations(name: str, job: str) -> None:
    jobs = {each.name: each for each in read(code.ROOT / f".github/workflows/{name}.yml").jobs}
    named = f"{{{','.join([*(service.name for service in SERVICES), 'operations'])}}}"

    assert re.search(rf"\.ci/scan \S+{named}", jobs[job].steps[-1]["run"])
