"""The end of every act on a lead: score it, settle whether sales should have it, and say so.

`LeadQualified` holds the score, so no `LeadScored` stands beside it.
"""

from datetime import datetime
from uuid import UUID

from lead_scoring.domain.lead import Lead, Qualification
from lead_scoring.domain.scorecard import Scorecard
from lead_scoring.usecases.wire import card_of, known, score_of
from shared.contracts.event import Event
from shared.contracts.score import LeadDisqualified, LeadQualified, LeadScored


def announce(
    lead: Lead, scorecard: Scorecard, *, event_id: UUID, now: datetime, anew: bool = False
) -> list[Event]:
    """Bring score and qualification up to date after `event_id`; return what that says.

    `anew`: the score is said also where it is as before, for sales may have heard another's.
    """
    changed = lead.rate(book=scorecard.book, event_id=event_id)
    move = lead.settle(threshold=scorecard.book.threshold, now=now)
    if move is Qualification.QUALIFIED:
        return [qualified(lead, scorecard, now)]
    scored: list[Event] = [_scored(lead, scorecard)] if changed or anew else []
    if move is Qualification.DISQUALIFIED:
        return [*scored, _disqualified(lead, now)]
    return scored


def qualified(lead: Lead, scorecard: Scorecard, now: datetime) -> LeadQualified:
    """Return what hands a lead over to sales."""
    person, rating = known(lead)
    return LeadQualified(
        lead_id=lead.id,
        lead_version=lead.version,
        lead=card_of(person),
        score=score_of(rating, scorecard),
        qualified_at=now,
    )


def _scored(lead: Lead, scorecard: Scorecard) -> LeadScored:
    _, rating = known(lead)
    return LeadScored(lead_id=lead.id, lead_version=lead.version, score=score_of(rating, scorecard))


def _disqualified(lead: Lead, now: datetime) -> LeadDisqualified:
    return LeadDisqualified(
        lead_id=lead.id,
        lead_version=lead.version,
        reason=str(lead.reason),
        disqualified_at=now,
    )
