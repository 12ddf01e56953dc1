"""A rating: the score with the entries that add up to it, and the grade.

Fit is asked anew of the whole card; engagement is earned touchpoint by touchpoint and kept. An
entry that still stands keeps the event that first gave it, so a score changes only when its
reasons do.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from lead_scoring.domain.person import Person
from lead_scoring.domain.predicate import Facts
from lead_scoring.domain.scorecard import Group, Repeat, Rule, Rulebook

LOWEST, HIGHEST = 0, 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Touchpoint:
    """One contact of a person with marketing, as the rules see it.

    `occurred_at` is never later than the moment at which it was received. `submitted` tells what
    the person sent by themselves from what was merely observed or imported.
    """

    event_id: UUID
    occurred_at: datetime
    submitted: bool
    facts: Facts


@dataclass(frozen=True, slots=True)
class Entry:
    """One reason for a score: a rule's points, and the event that gave them."""

    code: str
    text: str
    points: int
    group: Group
    event_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Rating:
    """A score from 0 to 100 that its entries add up to, and the grade, A1 to D4."""

    score: int
    grade: str
    fit: int
    engagement: int
    entries: tuple[Entry, ...]


def earn(
    book: Rulebook, *, earned: Sequence[Entry], touchpoint: Touchpoint, before: int
) -> tuple[Entry, ...]:
    """Return the engagement entries after one more touchpoint; `before` it there were so many."""
    facts = _facts(touchpoint, before)
    times = Counter(entry.code for entry in earned)
    new = [
        _entry(rule, touchpoint.event_id)
        for rule in book.of(Group.ENGAGEMENT)
        if times[rule.code] < _limit(rule) and rule.holds(facts)
    ]
    return (*earned, *new)


def engages(book: Rulebook, *, touchpoint: Touchpoint, before: int) -> bool:
    """Tell whether a touchpoint shows interest: what was submitted does, and what earns points.

    A cap that is reached does not matter here: the tenth visit to the price list is interest too.
    """
    facts = _facts(touchpoint, before)
    return touchpoint.submitted or any(
        rule.points > 0 and rule.holds(facts) for rule in book.of(Group.ENGAGEMENT)
    )


def rate(
    book: Rulebook,
    *,
    person: Person,
    earned: Sequence[Entry],
    previous: Iterable[Entry],
    event_id: UUID,
) -> Rating:
    """Score a lead; `event_id` gave what is new, and `previous` are the entries of before."""
    facts = person.facts()
    known = {(entry.group, entry.code, entry.points, entry.text): entry for entry in previous}
    fits = [_entry(rule, event_id) for rule in book.of(Group.FIT) if rule.holds(facts)]
    fit, engagement = _sum(fits), _sum(earned)
    score = min(max(fit + engagement, LOWEST), HIGHEST)
    clamp = _clamp(score - fit - engagement, event_id)
    kept = [known.get((e.group, e.code, e.points, e.text), e) for e in (*fits, *clamp)]
    entries = (*kept[: len(fits)], *earned, *kept[len(fits) :])
    grade = book.grade(fit=fit, engagement=engagement)
    return Rating(score=score, grade=grade, fit=fit, engagement=engagement, entries=entries)


def _facts(touchpoint: Touchpoint, before: int) -> Facts:
    return {**touchpoint.facts, "returning": "yes" if before else "no"}


def _entry(rule: Rule, event_id: UUID) -> Entry:
    return Entry(rule.code, rule.text, rule.points, rule.group, event_id)


def _limit(rule: Rule) -> int:
    return rule.max_times if rule.repeat is Repeat.EACH else 1


def _sum(entries: Iterable[Entry]) -> int:
    return sum(entry.points for entry in entries)


def _clamp(points: int, event_id: UUID) -> list[Entry]:
    """Return the entry that brings the sum into the scale, where it is outside."""
    if points == 0:
        return []
    text = "A score is at most 100" if points < 0 else "A score is at least 0"
    return [Entry("clamp", text, points, Group.CLAMP, event_id)]
