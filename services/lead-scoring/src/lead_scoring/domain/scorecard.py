"""A scorecard: rules that give points, the threshold, and the cut points of the grade.

A draft may change; once published it is a numbered version that never changes again. Storing it,
and that exactly one version is active, is the adapter's business.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from lead_scoring.domain.predicate import VALUELESS, Facts, Predicate


class Group(StrEnum):
    """What an entry speaks of. `clamp` is no rule's: it brings the sum into 0 to 100."""

    FIT = "fit"
    ENGAGEMENT = "engagement"
    CLAMP = "clamp"


class Repeat(StrEnum):
    """Whether a rule gives its points again when another touchpoint meets it."""

    ONCE = "once"
    EACH = "each"


class State(StrEnum):
    """Where a scorecard stands: only a draft changes, only the active one scores."""

    DRAFT = "draft"
    ACTIVE = "active"
    RETIRED = "retired"


FIELDS: dict[Group, frozenset[str]] = {
    Group.FIT: frozenset(
        {
            "email",
            "email_domain",
            "phone",
            "first_name",
            "last_name",
            "company",
            "job_title",
            "country",
        }
    ),
    Group.ENGAGEMENT: frozenset(
        {
            "kind",
            "channel",
            "source_id",
            "source_name",
            "campaign_id",
            "form_id",
            "page_url",
            "referrer",
            "message",
            "returning",
        }
    ),
}
"""The facts that a rule of each group can ask for; `returning` is yes or no."""

FAMILIES = ("utm.", "click_ids.", "answers.")
"""Engagement facts whose second part the sender names, as `answers.company size`."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong at one place of a scorecard; `pointer` is a JSON pointer into it."""

    pointer: str
    detail: str


class IllegalScorecard(Exception):
    """A scorecard's parts do not fit together."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        """Name every fault."""
        super().__init__("; ".join(fault.detail for fault in faults))
        self.faults = tuple(faults)


class ScorecardPublished(Exception):
    """A published scorecard never changes."""

    def __init__(self, state: State) -> None:
        """Say what to do instead."""
        super().__init__(
            f"This scorecard is {state}: a published version never changes. "
            "Create a draft with the rules that you want and publish that."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Points for what all of its predicates say.

    `max_times` is how often a rule of `each` gives its points to one lead.
    """

    code: str
    text: str
    group: Group
    points: int
    when: tuple[Predicate, ...]
    repeat: Repeat = Repeat.ONCE
    max_times: int = 1

    def holds(self, facts: Facts) -> bool:
        """Tell whether every predicate holds."""
        return all(predicate.holds(facts) for predicate in self.when)


@dataclass(frozen=True, slots=True)
class Cuts:
    """The least points for the first, second and third step of a grade; below is the fourth."""

    first: int
    second: int
    third: int

    def step(self, points: int) -> int:
        """Return 0 for the best step to 3 for the last."""
        return sum(points < cut for cut in (self.first, self.second, self.third))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rulebook:
    """All that people edit in a scorecard."""

    name: str
    threshold: int
    fit_cuts: Cuts
    engagement_cuts: Cuts
    rules: tuple[Rule, ...]

    def of(self, group: Group) -> tuple[Rule, ...]:
        """Return the rules of one group, in their order."""
        return tuple(rule for rule in self.rules if rule.group is group)

    def grade(self, *, fit: int, engagement: int) -> str:
        """Return A1 to D4: the letter by fit, the digit by engagement."""
        return "ABCD"[self.fit_cuts.step(fit)] + "1234"[self.engagement_cuts.step(engagement)]

    def check(self) -> None:
        """See to it that the parts fit together.

        Raises:
            IllegalScorecard: they do not; it names each place.
        """
        if faults := [*_cut_faults(self), *_code_faults(self), *_rule_faults(self)]:
            raise IllegalScorecard(faults)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorecard:
    """One version of the rules: `version` numbers what was published, `revision` what changed."""

    id: UUID
    book: Rulebook
    created_at: datetime
    updated_at: datetime
    state: State = State.DRAFT
    revision: int = 1
    version: int | None = None
    published_at: datetime | None = None

    def revise(self, *, book: Rulebook, now: datetime) -> "Scorecard":
        """Return the draft with other rules.

        Raises:
            ScorecardPublished: it is no draft.
            IllegalScorecard: the rules do not fit together.
        """
        self._must_be_draft()
        book.check()
        return replace(self, book=book, revision=self.revision + 1, updated_at=now)

    def publish(self, *, version: int, now: datetime) -> "Scorecard":
        """Return it as the active version.

        Raises:
            ScorecardPublished: it was published before.
        """
        self._must_be_draft()
        return replace(
            self,
            state=State.ACTIVE,
            version=version,
            revision=self.revision + 1,
            published_at=now,
            updated_at=now,
        )

    def retire(self, *, now: datetime) -> "Scorecard":
        """Return it as one that scores no more."""
        return replace(self, state=State.RETIRED, revision=self.revision + 1, updated_at=now)

    def _must_be_draft(self) -> None:
        if self.state is not State.DRAFT:
            raise ScorecardPublished(self.state)


def knows(*, group: Group, field: str) -> bool:
    """Tell whether a rule of the group can ask for this fact."""
    if field in FIELDS[group]:
        return True
    return group is Group.ENGAGEMENT and field.startswith(FAMILIES) and field not in FAMILIES


def _cut_faults(book: Rulebook) -> Iterator[Fault]:
    for name in ("fit_cuts", "engagement_cuts"):
        cuts: Cuts = getattr(book, name)
        if not cuts.first > cuts.second > cuts.third:
            yield Fault(f"/{name}", "Each cut point must be lower than the one before it.")


def _code_faults(book: Rulebook) -> Iterator[Fault]:
    times = Counter(rule.code for rule in book.rules)
    for nth, rule in enumerate(book.rules):
        if times[rule.code] > 1:
            yield Fault(f"/rules/{nth}/code", "Another rule has this code; give each its own.")


def _rule_faults(book: Rulebook) -> Iterator[Fault]:
    for nth, rule in enumerate(book.rules):
        place = f"/rules/{nth}"
        if rule.group is Group.FIT and rule.repeat is Repeat.EACH:
            yield Fault(f"{place}/repeat", "A fit rule counts once; use `once`.")
        if rule.repeat is Repeat.ONCE and rule.max_times != 1:
            yield Fault(f"{place}/max_times", "A rule of `once` counts 1 time; use `each`.")
        for mth, predicate in enumerate(rule.when):
            yield from _predicate_faults(f"{place}/when/{mth}", rule.group, predicate)


def _predicate_faults(place: str, group: Group, predicate: Predicate) -> Iterator[Fault]:
    if not knows(group=group, field=predicate.field):
        fields = ", ".join(sorted(FIELDS[group]))
        more = ", utm.*, click_ids.* or answers.*" if group is Group.ENGAGEMENT else ""
        yield Fault(f"{place}/field", f"A rule of {group} can ask for: {fields}{more}.")
    if predicate.operator in VALUELESS and predicate.values:
        yield Fault(f"{place}/value", f"`{predicate.operator}` takes no value; leave it out.")
    if predicate.operator not in VALUELESS and not predicate.values:
        yield Fault(f"{place}/value", f"`{predicate.operator}` needs at least one value.")
