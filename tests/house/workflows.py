"""The workflows of the public repository, and the rules that each of them keeps."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from tests.house import code

FILES = sorted((code.ROOT / ".github/workflows").glob("*.yml"))
MAY_WRITE = {"release.yml": {"packages", "id-token", "attestations", "contents"}}
"""What jobs of a workflow may change, beyond nothing."""
_PINNED = re.compile(r"(\./\S+(?: # .+)?|[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+)")
_OF_STRANGERS = {"pull_request_target", "workflow_run", "issue_comment"}
"""Events that give what strangers sent the rights of the repository."""


@dataclass(frozen=True, slots=True)
class Job:
    """A job by its name, as it is written."""

    name: str
    content: dict[str, Any]

    @property
    def steps(self) -> list[dict[str, Any]]:
        """Return its steps; a job that is another workflow has none."""
        return self.content.get("steps", [])


@dataclass(frozen=True)
class Workflow:
    """A workflow: its file's name, and its text."""

    name: str
    text: str

    @cached_property
    def content(self) -> dict[str, Any]:
        """Return it read, with every scalar as text: `on` is a word, not true."""
        return yaml.load(self.text, Loader=yaml.BaseLoader)  # noqa: S506  makes text and no objects

    @property
    def jobs(self) -> list[Job]:
        """Return its jobs."""
        return [Job(name, content) for name, content in self.content["jobs"].items()]


def read(path: Path) -> Workflow:
    """Return the workflow of a file."""
    return Workflow(path.name, path.read_text())


def complaints(workflow: Workflow) -> list[str]:
    """Return what is wrong with a workflow, in words."""
    return [complaint for rule in RULES for complaint in rule(workflow)]


def _is_called_by_commit(workflow: Workflow) -> Iterator[str]:
    """An action is one commit, with the version that it is: a tag can be moved."""
    for used in re.findall(r"\buses:\s*(.+?)\s*$", workflow.text, re.MULTILINE):
        if not _PINNED.fullmatch(used):
            yield f"{used} is not pinned by its commit, with its version beside it"


def _is_not_for_strangers(workflow: Workflow) -> Iterator[str]:
    for event in _OF_STRANGERS & set(workflow.content["on"]):
        yield f"{event} gives strangers the rights of the repository"


def _may_nothing_by_itself(workflow: Workflow) -> Iterator[str]:
    if workflow.content.get("permissions") != {}:
        yield "the workflow itself has permissions"
    for job in workflow.jobs:
        may = job.content.get("permissions")
        if not isinstance(may, dict):
            yield f"{job.name} does not say what it may do"
            continue
        writes = {what for what, how in may.items() if how != "read"}
        yield from (f"{job.name} may write {what}"
                    for what in sorted(writes - MAY_WRITE.get(workflow.name, set())))  # fmt: skip


def _ends(workflow: Workflow) -> Iterator[str]:
    for job in workflow.jobs:
        if job.steps and not job.content.get("timeout-minutes", "").isdigit():
            yield f"{job.name} has no time limit"
    if "concurrency" not in workflow.content:
        yield "runs of it do not follow or replace each other"


def _runs_on_what_is_known(workflow: Workflow) -> Iterator[str]:
    for job in workflow.jobs:
        if job.steps and job.content.get("runs-on", "latest").endswith("latest"):
            yield f"{job.name} runs on whatever is the latest"


def _is_no_template(workflow: Workflow) -> Iterator[str]:
    """What a run line needs comes by its environment: text put into it would be run."""
    for job in workflow.jobs:
        for step in job.steps:
            if "${{" in step.get("run", ""):
                yield f"{job.name} puts an expression into a run line"


def _leaves_no_credentials(workflow: Workflow) -> Iterator[str]:
    for job in workflow.jobs:
        for step in job.steps:
            kept = step.get("with", {}).get("persist-credentials") != "false"
            if step.get("uses", "").startswith("actions/checkout@") and kept:
                yield f"{job.name} leaves the token in the files that it checks out"


RULES: tuple[Callable[[Workflow], Iterator[str]], ...] = (
    _is_called_by_commit,
    _is_not_for_strangers,
    _may_nothing_by_itself,
    _ends,
    _runs_on_what_is_known,
    _is_no_template,
    _leaves_no_credentials,
)
