"""How fast leads are stored and answered: the intake's API alone, between samples of the floors."""

import functools
import statistics
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from handoff.bench import postgres, processors
from handoff.bench.client import BadAnswers, Sample
from handoff.bench.figures import Figures
from handoff.bench.floor import NOOP, ORM, Floor, database_of, floors
from handoff.bench.installation import Installation
from handoff.bench.product import Product, open_product
from handoff.bench.sampling import Sampler, Taken, against, rotated

SAMPLES_A_ROUND = 9
_INTAKE = "marketing_intake"
_MANY, _SOME = 64, 16
_WARM_UP = 2.0
_THOUSAND = 1000


@dataclass(frozen=True, slots=True)
class Stretch:
    """A sample of what keeps leads, with what Postgres did for it."""

    sample: Sample
    postgres_cpu: float
    commits: int
    statements: Counter[int]

    @property
    def statements_a_commit(self) -> int:
        """How many statements come with each commit; what is only sent now and then is none."""
        return sum(round(calls / self.commits) for calls in self.statements.values())

    @property
    def cpu_a_lead(self) -> float:
        """Seconds of Postgres' processors for each lead that was answered 2xx."""
        return self.postgres_cpu / self.sample.good


@dataclass
class Accepting:
    """The variants of storing and answering."""

    installation: Installation
    sampler: Sampler
    figures: Figures
    seconds: float
    product: Product
    noop: Floor
    orm: Floor

    async def round(self, number: int) -> None:
        """Take every variant once, in an order of this round's own."""
        for variant in rotated([self._many, self._one, self._tail], number):
            await variant()

    async def warm_up(self) -> None:
        """Fill pools, caches and prepared statements."""
        for server in (self.product, self.noop, self.orm):
            await server.load(at_once=_SOME, seconds=min(_WARM_UP, self.seconds))

    async def _many(self) -> None:
        before, orm_before = await self._noop(_MANY), await self._orm()
        stored = await self._stored(_MANY)
        orm_after, after = await self._orm(), await self._noop(_MANY)
        of_noop = before.value, after.value
        of_orm = [each.value for each in (orm_before, orm_after)]
        rate = stored.value.sample.rate
        orm_rates = [each.sample.rate for each in of_orm]
        note = functools.partial(
            self.figures.note,
            disturbed=any(
                each.disturbed for each in (before, orm_before, stored, orm_after, after)
            ),
        )
        note(accept_c64=against(rate, *of_noop), accept_of_orm=against(rate, *orm_rates))
        note(accept_rate=rate, noop_rate=statistics.mean(of_noop))
        note(orm_rate=statistics.mean(orm_rates))
        note(
            postgres_cpu=against(stored.value.cpu_a_lead, *(each.cpu_a_lead for each in of_orm)),
            commits=_THOUSAND * stored.value.commits / stored.value.sample.good,
        )
        if self.installation.counts_statements:
            note(capture_statements=stored.value.statements_a_commit)

    async def _one(self) -> None:
        before = await self._noop(1)
        stored = await self._stored(1)
        after = await self._noop(1)
        sample = stored.value.sample
        self.figures.note(
            accept_c1=against(sample.rate, before.value, after.value),
            accept_p50=_THOUSAND * sample.quantile(0.5),
            disturbed=any(each.disturbed for each in (before, stored, after)),
        )

    async def _tail(self) -> None:
        stored = await self._stored(_SOME)
        sample = stored.value.sample
        ratio = sample.quantile(0.99) / sample.quantile(0.5)
        self.figures.note(tail_c16=ratio, disturbed=stored.disturbed)

    async def _noop(self, at_once: int) -> Taken[float]:
        async def measure() -> float:
            return (await self.noop.load(at_once=at_once, seconds=self.seconds)).rate

        return await self.sampler.take(f"the no-op, {at_once} at once", measure)

    async def _orm(self) -> Taken[Stretch]:
        async def measure() -> Stretch:
            return await self._watched(self.orm, database_of(ORM), "lead", _MANY)

        return await self.sampler.take(f"the ORM way, {_MANY} at once", measure)

    async def _stored(self, at_once: int) -> Taken[Stretch]:
        async def measure() -> Stretch:
            return await self._watched(self.product, _INTAKE, "submission", at_once)

        return await self.sampler.take(f"storing leads, {at_once} at once", measure)

    async def _watched(
        self, server: Product | Floor, database: str, table: str, at_once: int
    ) -> Stretch:
        """Load a server; what was answered 2xx must have become rows, one for one."""
        async with (
            self.installation.opened(database) as its,
            self.installation.opened() as administrator,
        ):
            rows = await postgres.count(its, table)
            root = self.installation.trees()["postgres"]
            counts = self.installation.counts_statements
            before = await postgres.counted(administrator, statements=counts)
            cpu = processors.of_tree(root)
            sample = await server.load(at_once=at_once, seconds=self.seconds)
            cpu = processors.of_tree(root) - cpu
            after = await postgres.counted(administrator, statements=counts)
            rows = await postgres.count(its, table) - rows
        if rows != sample.good:
            raise BadAnswers(f"{sample.good} leads were answered 2xx, and {rows} are in {table}")
        statements = postgres.sent(before.calls, after.calls, database)
        return Stretch(sample, cpu, after.writes - before.writes, statements)


@asynccontextmanager
async def accepting(
    installation: Installation, sampler: Sampler, figures: Figures, *, seconds: float
) -> AsyncGenerator[Accepting]:
    """Have fresh databases, the intake's API alone, and the floors, all warm."""
    sampler.watcher.doing("Making the databases")
    await installation.renew("accept")
    api = installation.specs("api", of="marketing-intake")
    async with installation.having(*api), floors(installation, NOOP, ORM) as (noop, orm):
        sampler.watcher.doing("Warming up")
        product = await open_product(installation)
        stage = Accepting(installation, sampler, figures, seconds, product, noop, orm)
        await stage.warm_up()
        yield stage
