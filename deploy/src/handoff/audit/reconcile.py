"""Reconciles what was said with what was heard, topic by topic and hearer by hearer.

What differs is looked at again until it is level or the time is up: what was on its way a moment
ago is no news.
"""

import asyncio
import time
from collections.abc import Callable, Sequence

from handoff.audit.behind import SETTLES
from handoff.audit.comparison import Comparison, compare
from handoff.audit.judging import judge
from handoff.audit.marks import Groups, open_groups
from handoff.audit.report import Report, is_balanced
from handoff.site import Site
from handoff.views import open_views
from shared.clock import utc_now
from shared.contracts.catalogue import TOPICS

Tell = Callable[[int], None]
"""Is told how many streams are still on their way."""

_LOOK_EVERY = 0.5


def tell_nobody(_count: int) -> None:
    """Serve whoever shows no progress."""


async def reconcile(site: Site, *, wait: float, tell: Tell = tell_nobody) -> Report:
    """Return what is not level, after waiting up to `wait` seconds for what is on its way.

    Raises:
        OSError, asyncpg.PostgresError: a database does not answer.
    """
    async with open_views(site) as views, open_groups(site.kafka) as groups:
        comparisons = [
            await compare(views, topic, hearer) for topic in TOPICS for hearer in topic.hearers
        ]
        end = time.monotonic() + wait
        while await _judge_all(comparisons, groups) and time.monotonic() < end:
            tell(_unsettled(comparisons))
            await asyncio.sleep(_LOOK_EVERY)
        behind = [found for each in comparisons for found in each.behind]
        return Report(
            balanced=is_balanced(behind),
            checked_at=utc_now(),
            kafka_answered=all(each.kafka_answered for each in comparisons),
            pairs=[await each.pair() for each in comparisons],
            behind=behind,
        )


async def _judge_all(comparisons: Sequence[Comparison], groups: Groups) -> bool:
    """Judge all suspects anew; tell whether some may yet settle."""
    for each in comparisons:
        if each.suspects:
            await judge(each, groups)
    return _unsettled(comparisons) > 0


def _unsettled(comparisons: Sequence[Comparison]) -> int:
    return sum(found.state in SETTLES for each in comparisons for found in each.behind)
