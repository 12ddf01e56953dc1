"""Make a draft the version that scores, and retire the one before it.

Leads are scored by it as they are next heard.
"""

from dataclasses import dataclass
from datetime import datetime

from lead_scoring.domain.scorecard import Scorecard


@dataclass(frozen=True, slots=True)
class PublishScorecard:
    """Somebody wants a draft to score from now on; `active` is what scores until then."""

    draft: Scorecard
    active: Scorecard | None


def publish_scorecard(command: PublishScorecard, *, now: datetime) -> list[Scorecard]:
    """Return what is to be stored, in this order: the retired version, then the active one.

    Raises:
        ScorecardPublished: it was published before.
    """
    active = command.active
    version = (active.version or 0) + 1 if active else 1
    published = command.draft.publish(version=version, now=now)
    return [active.retire(now=now), published] if active else [published]
