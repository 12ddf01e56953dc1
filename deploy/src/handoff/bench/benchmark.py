"""A whole run: what is wanted, in which order, and the report at the end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from handoff.bench import accepting, machine, walking
from handoff.bench.accepting import Accepting
from handoff.bench.figures import Figures
from handoff.bench.installation import Installation, installed
from handoff.bench.report import Report, idle_of, notes_of, stages_of
from handoff.bench.sampling import Sampler, Watcher
from handoff.bench.walking import Walking
from shared.clock import utc_now

PARTS = {
    "accept": "how fast leads are stored and answered, against the floors",
    "walk": "how fast they go from POST to task, and what each process takes for it",
    "latency": "how long POST to task takes, at 100 leads a second and alone",
    "idle": "what the services take while nothing comes in",
}


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be measured.

    Attributes:
        parts: some of PARTS.
        seconds: of a sample.
        patience: how long to wait for a quiet machine before each sample; 0: not at all, and
            no sample is taken again.
        place: where the installation's directory is made.
    """

    command: str
    parts: Sequence[str]
    rounds: int
    seconds: float
    patience: float
    place: Path

    @property
    def samples(self) -> int:
        """How many samples that is."""
        each = {"accept": accepting.SAMPLES_A_ROUND, **walking.SAMPLES_A_ROUND}
        return self.rounds * sum(each[part] for part in self.parts)


async def measure(plan: Plan, root: Path, environ: Mapping[str, str], watcher: Watcher) -> Report:
    """Measure on an installation of the run's own, which is gone afterwards.

    Raises:
        BadAnswers, Died: what was measured did not do its work.
        Unfit, Missing, ToolFailed, PortsInUse, NotReady, JobFailed: it could not be started.
    """
    began, figures = utc_now(), Figures()
    async with installed(root, plan.place, environ, watcher) as installation:
        sampler = Sampler(installation.trees, installation.settle, watcher, plan.patience)
        await _accept(plan, installation, sampler, figures)
        walked = await _walk(plan, installation, sampler, figures)
        return Report(
            command=plan.command,
            began=began,
            rounds=plan.rounds,
            seconds=plan.seconds,
            machine=await machine.describe(installation),
            figures=figures.measured(),
            stages=stages_of(walked.stages if walked else {}),
            idle=idle_of(walked.idle if walked else []),
            notes=list(
                notes_of(sampler, figures, counts_statements=installation.counts_statements)
            ),
        )


async def _accept(
    plan: Plan, installation: Installation, sampler: Sampler, figures: Figures
) -> None:
    if "accept" not in plan.parts:
        return
    stage = accepting.accepting(installation, sampler, figures, seconds=plan.seconds)
    async with stage as alone:
        await _rounds(plan, alone)


async def _walk(
    plan: Plan, installation: Installation, sampler: Sampler, figures: Figures
) -> Walking | None:
    wanted = [part for part in plan.parts if part in walking.SAMPLES_A_ROUND]
    if not wanted:
        return None
    stage = walking.walking(installation, sampler, figures, seconds=plan.seconds, wanted=wanted)
    async with stage as all_of_it:
        await _rounds(plan, all_of_it)
        return all_of_it


async def _rounds(plan: Plan, stage: Accepting | Walking) -> None:
    for number in range(plan.rounds):
        await stage.round(number)
