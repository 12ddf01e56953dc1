"""The order among programs: stages start one after the other and stop in reverse.

What a stage holds starts and stops side by side. Touches nothing but its own children.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from handoff.supervisor.logs import tail
from handoff.supervisor.process import Process
from handoff.supervisor.spawn import spawn
from handoff.supervisor.spec import Spec


class JobFailed(Exception):
    """A program that should run to its end with 0 did not; the text holds the end of its log."""


def _ignore(_process: Process) -> None:
    """Serve a supervisor whose changes interest nobody."""


class Supervisor:
    """Runs programs in stages, each kept alive until `stop`."""

    def __init__(self, logs: Path, changed: Callable[[Process], None] = _ignore) -> None:
        """Write logs under `logs`, and call `changed` whenever a pid or a restart count moved."""
        self._logs = logs
        self._changed = changed
        self._stages: list[list[Process]] = []

    @property
    def processes(self) -> list[Process]:
        """All that was started, in order."""
        return [process for stage in self._stages for process in stage]

    async def start(self, specs: Sequence[Spec], *, limit: float) -> None:
        """Start a stage and wait until all of it is ready, for at most `limit` seconds.

        Raises:
            NotReady: one of them did not come up; the others go on until `stop`.
        """
        stage = [Process(spec, self._logs, self._changed) for spec in specs]
        self._stages.append(stage)
        for process in stage:
            process.start()
        answers = await asyncio.gather(
            *(process.until_ready(limit) for process in stage), return_exceptions=True
        )
        _raise_first(answers)

    async def run(self, jobs: Sequence[Spec], *, limit: float) -> None:
        """Run jobs side by side to their ends.

        Raises:
            JobFailed: one of them ended with another code than 0, or took over `limit` seconds.
        """
        answers = await asyncio.gather(
            *(self._run_one(job, limit) for job in jobs), return_exceptions=True
        )
        _raise_first(answers)

    async def drop(self, names: Collection[str]) -> None:
        """Stop some of the programs, and keep them no longer; returns when they are gone."""
        leaving = [process for process in self.processes if process.spec.name in names]
        answers = await asyncio.gather(
            *(process.stop() for process in leaving), return_exceptions=True
        )
        self._stages = [[each for each in stage if each not in leaving] for stage in self._stages]
        _raise_first(answers)

    async def stop(self) -> None:
        """Stop everything, the last stage first; returns when all are gone."""
        answers: list[BaseException | None] = []
        for stage in reversed(self._stages):
            stops = (process.stop() for process in stage)
            answers += await asyncio.gather(*stops, return_exceptions=True)
        _raise_first(answers)

    async def _run_one(self, job: Spec, limit: float) -> None:
        log = self._logs / f"{job.name}.log"
        child = await spawn(job, log)
        try:
            code = await asyncio.wait_for(child.wait(), limit)
        except TimeoutError:
            raise JobFailed(f"{job.name} took more than {limit:.0f} s; see {log}") from None
        finally:
            if child.returncode is None:
                child.kill()
                await child.wait()
        if code != 0:
            raise JobFailed(f"{job.name} ended with {code}; the end of {log}:\n{tail(log)}")


def _raise_first(answers: Sequence[BaseException | None]) -> None:
    for answer in answers:
        if answer is not None:
            raise answer
