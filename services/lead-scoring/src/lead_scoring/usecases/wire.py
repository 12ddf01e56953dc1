"""Turns what events say into what the domain knows, and back.

The domain speaks of persons and entries, the contracts of cards and records; they may change
apart, and meet here alone.
"""

from collections.abc import Iterator
from uuid import UUID

from lead_scoring.domain.lead import Lead
from lead_scoring.domain.person import Consent, Person
from lead_scoring.domain.rating import Rating, Touchpoint
from lead_scoring.domain.scorecard import Scorecard
from shared.contracts import lead as leads
from shared.contracts import score as scores

_LONGEST_FACT = 2_000
_PERSON_FIELDS = (
    "email",
    "phone",
    "first_name",
    "last_name",
    "company",
    "job_title",
    "country",
)
_TOUCHPOINT_FIELDS = (
    "kind",
    "channel",
    "source_id",
    "source_name",
    "campaign_id",
    "form_id",
    "page_url",
    "referrer",
    "message",
)
_FAMILIES = ("utm", "click_ids", "answers")
_IMPORTED = "import"


def person_of(card: leads.LeadCard) -> Person:
    """Return the person on a lead card."""
    texts = {name: getattr(card, name) for name in _PERSON_FIELDS}
    consents = tuple(Consent(c.purpose, c.granted, c.occurred_at, c.text) for c in card.consents)
    return Person(**texts, consents=consents)


def card_of(person: Person) -> leads.LeadCard:
    """Return the lead card of a person."""
    texts = {name: getattr(person, name) for name in _PERSON_FIELDS}
    consents = tuple(
        leads.Consent(purpose=c.purpose, granted=c.granted, occurred_at=c.occurred_at, text=c.text)
        for c in person.consents
    )
    return leads.LeadCard(**texts, consents=consents)


def touchpoint_of(said: leads.Touchpoint, *, event_id: UUID, observed: bool = False) -> Touchpoint:
    """Return a touchpoint as the rules see it; `observed`: it is behaviour, not a submission.

    A sender's clock may be wrong: nothing occurs after it was received.
    """
    return Touchpoint(
        event_id=event_id,
        occurred_at=min(said.occurred_at, said.received_at),
        submitted=not observed and said.kind != _IMPORTED,
        facts=dict(_facts(said)),
    )


def score_of(rating: Rating, scorecard: Scorecard) -> scores.Score:
    """Return the score as it is said."""
    entries = tuple(
        scores.Entry(
            code=e.code, text=e.text, points=e.points, group=e.group.value, event_id=e.event_id
        )
        for e in rating.entries
    )
    return scores.Score(
        score=rating.score,
        grade=rating.grade,
        fit=rating.fit,
        engagement=rating.engagement,
        scorecard_id=scorecard.id,
        scorecard_version=scorecard.version or 0,
        threshold=scorecard.book.threshold,
        entries=entries,
    )


def known(lead: Lead) -> tuple[Person, Rating]:
    """Return the card and the rating of a lead that has both.

    Raises:
        LookupError: nothing may be said of this lead yet.
    """
    if lead.person is None or lead.rating is None:
        raise LookupError(f"lead {lead.id} has no card")
    return lead.person, lead.rating


def _facts(said: leads.Touchpoint) -> Iterator[tuple[str, str]]:
    for name in _TOUCHPOINT_FIELDS:
        value = getattr(said, name)
        if value and (text := _fact(str(value))):
            yield name, text
    for family in _FAMILIES:
        entries: dict[str, str] = getattr(said, family)
        for key, value in entries.items():
            if text := _fact(value):
                yield f"{family}.{key.strip().casefold()}", text


def _fact(text: str) -> str:
    return text[:_LONGEST_FACT].strip().casefold()
