"""What an audit costs: of everything, and of what moved lately.

Bounded by the pages that it reads, not by the clock, at a size that fills in seconds. The figures
of a large site: `HANDOFF_AUDIT_LEADS=1000000 pytest -s tests/load/test_auditing.py` (six
minutes, and 5 GB where the tests' Postgres keeps its data).
"""

import os
from dataclasses import dataclass
from datetime import timedelta

import asyncpg
import pytest
from tests.load.many_leads import fill
from tests.stack.fixtures import DatabaseFor
from tests.stack.running import Stack

from handoff.audit.reconcile import Scope, reconcile
from handoff.audit.report import Report
from handoff.services import SERVICES
from handoff.site import Site
from shared.clock import utc_now

LEADS = int(os.environ.get("HANDOFF_AUDIT_LEADS", "20000"))
MOVED = 50
PAGES_A_LEAD = 12
# However many leads there are: each day of the archive has an index in which a lead may be.
PAGES_A_MOVE = 2000
_PAGES = "SELECT sum(blks_hit + blks_read)::bigint FROM pg_stat_database WHERE datname = ANY($1)"
_MOVE = """
    UPDATE outbox_archive SET published_at = now() WHERE (subject, topic, sequence) IN (
        SELECT subject, topic, sequence FROM outbox_archive LIMIT $1
    )
"""


@dataclass
class Full:
    """Four databases full of leads."""

    owners: dict[str, str]
    site: Site
    administrator: str

    async def audit(self, since: timedelta | None = None) -> tuple[Report, int]:
        """Audit, and return how many pages were read for it."""
        before = await self._pages()
        scope = Scope(since=utc_now() - since if since else None)
        report = await reconcile(self.site, wait=0, scope=scope)
        pages = await self._pages() - before
        look = f"since {since}" if since else "everything"
        print(f"audit of {LEADS} leads, {look}: {report.seconds} s, {pages} pages")
        return report, pages

    async def _pages(self) -> int:
        """Whoever has left has told what it read."""
        connection = await asyncpg.connect(self.administrator, ssl=False)
        names = [url.rpartition("/")[2] for url in self.owners.values()]
        pages = await connection.fetchval(_PAGES, names)
        await connection.close()
        return int(pages)


@pytest.fixture(scope="module")
async def full(stack: Stack, database_for: DatabaseFor) -> Full:
    owners = {each.name: await database_for(each.package) for each in SERVICES}
    await fill(owners, LEADS)
    looking = {
        name: stack.url("operations", url.rpartition("/")[2]) for name, url in owners.items()
    }
    return Full(owners, Site(looking, {}, None), stack.postgres_url)


@pytest.mark.timeout(1200)
async def test_everything_is_read_once_and_in_portions(full: Full) -> None:
    report, pages = await full.audit()

    assert report.fine, report.broken
    assert max(pair.subjects for pair in report.pairs) == LEADS
    assert pages < PAGES_A_LEAD * LEADS


@pytest.mark.timeout(1200)
async def test_what_moved_lately_is_found_without_reading_the_rest(full: Full) -> None:
    connection = await asyncpg.connect(full.owners["marketing-intake"], ssl=False)
    await connection.execute(_MOVE, MOVED)
    await connection.close()
    report, pages = await full.audit(timedelta(minutes=10))

    assert report.fine, report.broken
    assert max(pair.subjects for pair in report.pairs) == MOVED
    assert pages < PAGES_A_MOVE * MOVED
