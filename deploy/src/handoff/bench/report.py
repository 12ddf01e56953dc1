"""What a run found, for programs; the command shows the same to people."""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from pydantic import BaseModel, Field

from handoff.bench.figures import Figures, Measured
from handoff.bench.idling import Idle
from handoff.bench.machine import Machine
from handoff.bench.sampling import MOST_FOREIGN, MOST_REPEATS, MOST_STOLEN, Sampler

Spread = tuple[float, float, float]
"""Minimum, median, maximum over the rounds."""

_STAGES = {
    "marketing-intake-api-0": "intake api",
    "marketing-intake-worker-0": "intake worker: resolve, relay",
    "lead-scoring-worker-0": "scoring worker: hear, relay",
    "sales-pipeline-worker-0": "pipeline worker: hear, relay",
    "notifier-worker-0": "notifier worker: hear, relay",
    "postgres": "Postgres",
    "kafka": "Kafka",
    "client": "the load client",
}
_OTHERS = "the other APIs, idle"
_NOT_OF_IT = "floor-"
DISTURBED = "~"
"""Marks what was never without neighbours."""


class Stage(BaseModel):
    """What one process took for a lead of the whole walk."""

    name: str
    microseconds: Spread


class ServiceIdle(BaseModel):
    """What a service takes while nothing comes in, api and worker together."""

    service: str
    cores: Spread
    megabytes: Spread


class Report(BaseModel):
    """Everything that a run found."""

    command: str
    began: datetime
    rounds: int
    seconds: float = Field(description="of a sample")
    machine: Machine
    figures: list[Measured]
    stages: list[Stage]
    idle: list[ServiceIdle]
    notes: list[str]


def spread(values: Sequence[float]) -> Spread:
    """Return minimum, median and maximum."""
    return min(values), statistics.median(values), max(values)


def stages_of(found: Mapping[str, Sequence[float]]) -> list[Stage]:
    """Return the stages in the order of the walk; what only stood by is one of them."""
    rest = [
        values
        for name, values in found.items()
        if name not in _STAGES and not name.startswith(_NOT_OF_IT)
    ]
    named = {text: found[name] for name, text in _STAGES.items() if name in found}
    together = [sum(values) for values in zip(*rest, strict=True)]
    named |= {_OTHERS: together} if together else {}
    return [Stage(name=name, microseconds=spread(values)) for name, values in named.items()]


def idle_of(found: Sequence[Mapping[str, Idle]]) -> list[ServiceIdle]:
    """Return each service's idling over the rounds."""
    return [
        ServiceIdle(
            service=service,
            cores=spread([each[service].cores for each in found]),
            megabytes=spread([each[service].megabytes for each in found]),
        )
        for service in (found[0] if found else ())
    ]


def notes_of(sampler: Sampler, figures: Figures, *, counts_statements: bool) -> Iterator[str]:
    """Say what a reader has to know of how it was measured."""
    if not sampler.patience:
        yield "No quiet was waited for, and no sample was repeated: these are rough figures."
    if sampler.never_quiet:
        yield f"{sampler.never_quiet} samples were begun though the machine was not quiet."
    if sampler.repeats:
        yield (
            f"{sampler.repeats} samples were taken again: others had more than {MOST_FOREIGN} core "
            f"or the hypervisor more than {MOST_STOLEN}, or the client was late; each at most "
            f"{MOST_REPEATS} times, and the least disturbed counts."
        )
    disturbed = [each for each in figures.measured() if each.disturbed]
    if disturbed:
        yield (
            f"{DISTURBED} neighbours had a part in it in some rounds, in how many says the JSON: "
            f"{sampler.worst:.2f} core at most."
        )
    if not counts_statements:
        yield "This Postgres has no pg_stat_statements: statements were not counted."
