"""What an audit costs: of everything, and of what moved lately.

Bounded by the rows that it reads, of tables, indexes and catalogues: so many of each lead, whatever
became of it, and for what moved a small part of them. At full size (`HANDOFF_FULL=1`: a million
leads) also by the clock.
"""

from dataclasses import dataclass
from datetime import timedelta

import asyncpg
import pytest
from tests.faults.figures import Figure, is_full, sized
from tests.load.many_leads import fill
from tests.stack.fixtures import DatabaseFor
from tests.stack.running import Stack

from handoff.audit import portions
from handoff.audit.reconcile import Scope, reconcile
from handoff.audit.report import Report
from handoff.services import SERVICES
from handoff.site import Site
from shared.clock import utc_now

LEADS = sized(8_000, 1_000_000)
FEWER = LEADS // 4
# Few leads are many portions too: what each of them reads in vain adds up.
LARGE = sized(400, portions.LARGE)
MOVED = sized(50, 5_000)
MORE_ROWS = 4.01 if is_full() else 4.0
ROWS_A_LEAD = 120
LESS_ROWS = 10
SECONDS, SECONDS_LATELY = 60.0, 10.0
_READ = """
    SELECT sum(tup_returned + tup_fetched)::bigint FROM pg_stat_database WHERE datname = ANY($1)
"""
_MOVE = """
    UPDATE outbox_archive SET published_at = now() WHERE (subject, topic, sequence) IN (
        SELECT subject, topic, sequence FROM outbox_archive LIMIT $1
    )
"""


@dataclass
class Full:
    """Four databases full of leads."""

    leads: int
    owners: dict[str, str]
    site: Site
    administrator: str

    async def audit(self, since: timedelta | None = None) -> tuple[Report, int]:
        """Audit, and return how many rows were read for it."""
        before = await self._read()
        scope = Scope(since=utc_now() - since if since else None)
        report = await reconcile(self.site, wait=0, scope=scope)
        read = await self._read() - before
        look = f"since {since}" if since else "everything"
        print(f"audit of {self.leads} leads, {look}: {report.seconds} s, {read} rows")
        return report, read

    async def _read(self) -> int:
        """Whoever has left has told what it read."""
        connection = await asyncpg.connect(self.administrator, ssl=False)
        names = [url.rpartition("/")[2] for url in self.owners.values()]
        rows = await connection.fetchval(_READ, names)
        await connection.close()
        return rows


async def filled(stack: Stack, database_for: DatabaseFor, leads: int) -> Full:
    owners = {each.name: await database_for(each.package) for each in SERVICES}
    await fill(owners, leads)
    looking = {
        name: stack.url("operations", url.rpartition("/")[2]) for name, url in owners.items()
    }
    return Full(leads, owners, Site(looking, {}, None), stack.postgres_url)


@pytest.fixture(scope="module")
async def fewer(stack: Stack, database_for: DatabaseFor) -> Full:
    return await filled(stack, database_for, FEWER)


@pytest.fixture(scope="module")
async def full(stack: Stack, database_for: DatabaseFor) -> Full:
    return await filled(stack, database_for, LEADS)


@pytest.fixture(autouse=True)
def in_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(portions, "LARGE", LARGE)


@pytest.mark.timeout(1800)
async def test_four_times_the_leads_are_four_times_the_rows(
    fewer: Full, full: Full, figure: Figure
) -> None:
    few, read_of_few = await fewer.audit()
    report, read = await full.audit()
    ratio = read / read_of_few
    figure(
        "everything: of four times the leads, rows read, times", ratio, goal="<= 4, in full 4.01"
    )
    figure("everything: rows read, of each lead", read / LEADS, goal=f"<= {ROWS_A_LEAD}")
    figure("everything: leads", f"{LEADS:,}", goal="8,000 small, 1,000,000 in full")
    figure("everything: seconds", report.seconds, goal=f"< {SECONDS:g} in full")

    assert (few.violations, report.violations) == ([], [])
    assert report.fine
    assert max(pair.subjects for pair in report.pairs) == LEADS
    assert ratio <= MORE_ROWS
    assert read <= ROWS_A_LEAD * LEADS
    assert not is_full() or report.seconds < SECONDS


@pytest.mark.timeout(1800)
async def test_what_moved_lately_is_found_without_reading_the_rest(
    full: Full, figure: Figure
) -> None:
    _, of_everything = await full.audit()
    connection = await asyncpg.connect(full.owners["marketing-intake"], ssl=False)
    await connection.execute(_MOVE, MOVED)
    await connection.close()
    report, read = await full.audit(timedelta(minutes=10))
    ratio = of_everything / read
    figure("what moved: of everything, fewer rows read, times", ratio, goal=f"> {LESS_ROWS}")
    figure("what moved: leads", f"{MOVED:,}", goal="50 small, 5,000 in full")
    figure("what moved: seconds", report.seconds, goal=f"< {SECONDS_LATELY:g} in full")

    assert report.fine, report.broken
    assert max(pair.subjects for pair in report.pairs) == MOVED
    assert ratio > LESS_ROWS
    assert not is_full() or report.seconds < SECONDS_LATELY
