"""Write a new scorecard, or change one that is not published yet."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from lead_scoring.domain.scorecard import Rulebook, Scorecard


@dataclass(frozen=True, slots=True)
class DraftScorecard:
    """Somebody wrote down rules."""

    scorecard_id: UUID
    book: Rulebook


def draft_scorecard(command: DraftScorecard, *, now: datetime) -> Scorecard:
    """Return a draft with the rules.

    Raises:
        IllegalScorecard: the rules do not fit together.
    """
    command.book.check()
    return Scorecard(id=command.scorecard_id, book=command.book, created_at=now, updated_at=now)
