"""How fast leads walk from POST to task, through every service, and what each process takes for it.

All services run, api and worker, beside a real Kafka and Postgres on the same cores.
"""

import asyncio
import statistics
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from handoff.bench import idling
from handoff.bench.figures import Figures
from handoff.bench.floor import NOOP, Floor, floors
from handoff.bench.idling import Idle
from handoff.bench.installation import Installation
from handoff.bench.journey import Journey, Walk
from handoff.bench.open_loop import Sent
from handoff.bench.product import add_reps, open_product
from handoff.bench.sampling import Sampler, Taken, against, rotated
from handoff.services import ROLES

SAMPLES_A_ROUND = {"walk": 3, "latency": 2, "idle": 1}
LEADS_A_SECOND = 2_400
"""More than two cores bring home in that time: of a short walk its beginning and its end, when not
all services are at work, would be most."""
RATE = 100
_MANY = 64
_PACED_SECONDS = 5
_LONE_LEADS = 5
_LONE_RATE = 1.25
_THOUSAND = 1000
_MILLION = 1_000_000
_LATE = 0.001


@dataclass
class Walking:
    """The variants of the whole walk, those of them that are wanted."""

    installation: Installation
    sampler: Sampler
    figures: Figures
    seconds: float
    wanted: Sequence[str]
    journey: Journey
    noop: Floor
    stages: dict[str, list[float]] = field(default_factory=dict[str, list[float]])
    idle: list[Mapping[str, Idle]] = field(default_factory=list[Mapping[str, Idle]])

    async def round(self, number: int) -> None:
        """Take every variant once, in an order of this round's own."""
        variants = {
            "walk": [self._walk], "latency": [self._paced, self._alone], "idle": [self._idle]
        }  # fmt: skip
        wanted = [variant for name in self.wanted for variant in variants[name]]
        for variant in rotated(wanted, number):
            await variant()

    async def warm_up(self) -> None:
        """Take the JVM, the pools and the planner's habits to where they stay."""
        await self.journey.crowd(int(LEADS_A_SECOND * self.seconds))
        await self.journey.steadily(int(RATE * self.seconds), RATE)

    async def _walk(self) -> None:
        async def measure() -> Walk:
            return await self.journey.crowd(int(LEADS_A_SECOND * self.seconds))

        before = await self._no_op()
        walked = await self.sampler.take("the whole walk", measure)
        after = await self._no_op()
        leads = walked.value.leads
        rate = leads / walked.value.seconds
        cpu = {name: _MILLION * spent / leads for name, spent in walked.shares.ours.items()}
        for name, microseconds in cpu.items():
            self.stages.setdefault(name, []).append(microseconds)
        of_product = sum(cpu.values()) - cpu["client"] - cpu[f"floor-{NOOP}"]
        disturbed = any(each.disturbed for each in (before, walked, after))
        self.figures.note(
            walk=against(rate, before.value, after.value), walk_rate=rate, walk_cpu=of_product,
            disturbed=disturbed,
        )  # fmt: skip
        if self.installation.counts_statements:
            self.figures.note(walk_statements=walked.value.statements / leads)

    async def _paced(self) -> None:
        async def measure() -> tuple[Sent, list[float]]:
            return await self.journey.steadily(int(RATE * _PACED_SECONDS * self.seconds), RATE)

        def late(value: tuple[Sent, list[float]]) -> bool:
            return value[0].usually_late > _LATE

        taken = await self.sampler.take(f"{RATE} leads a second", measure, spoilt=late)
        sent, latencies = taken.value
        self.figures.note(
            task_p50=_THOUSAND * statistics.median(latencies),
            task_p99=_THOUSAND * statistics.quantiles(latencies, n=100)[98],
            client_late=_THOUSAND * sent.usually_late,
            disturbed=taken.disturbed or late(taken.value),
        )

    async def _alone(self) -> None:
        async def measure() -> list[float]:
            return (await self.journey.steadily(_LONE_LEADS, _LONE_RATE))[1]

        taken = await self.sampler.take("a lone lead", measure)
        lone = _THOUSAND * statistics.median(taken.value)
        self.figures.note(lone_lead=lone, disturbed=taken.disturbed)

    async def _idle(self) -> None:
        seconds = _PACED_SECONDS * self.seconds
        taken = await self.sampler.take("idling", lambda: asyncio.sleep(seconds))
        found = idling.of_services(self.installation.trees(), taken.shares)
        self.idle.append(found)
        self.figures.note(
            idle_cpu=max(each.cores for each in found.values()),
            idle_memory=max(each.megabytes for each in found.values()),
            disturbed=taken.disturbed,
        )

    async def _no_op(self) -> Taken[float]:
        async def measure() -> float:
            return (await self.noop.load(at_once=_MANY, seconds=self.seconds)).rate

        return await self.sampler.take(f"the no-op, {_MANY} at once", measure)


@asynccontextmanager
async def walking(
    installation: Installation,
    sampler: Sampler,
    figures: Figures,
    *,
    seconds: float,
    wanted: Sequence[str],
) -> AsyncGenerator[Walking]:
    """Have fresh databases and topics, every service, and the no-op, all warm."""
    sampler.watcher.doing("Making the databases")
    await installation.renew("walk")
    async with (
        installation.having(*installation.specs(*ROLES)),
        floors(installation, NOOP) as (noop,),
    ):
        sampler.watcher.doing("Warming up")
        await add_reps(installation)
        journey = Journey(installation, await open_product(installation))
        stage = Walking(installation, sampler, figures, seconds, wanted, journey, noop)
        await stage.warm_up()
        sampler.idle = await idling.cores_of(installation.trees)
        yield stage
