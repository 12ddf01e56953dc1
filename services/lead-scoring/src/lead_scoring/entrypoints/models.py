"""What the API takes in: scorecards. Texts of rules are compared in lower case, so kept so."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from lead_scoring.domain.predicate import Operator, Predicate
from lead_scoring.domain.scorecard import Cuts, Group, Repeat, Rule, Rulebook
from shared.web.body import Body
from shared.web.values import Items, Text

_EXAMPLE_RULE = {
    "code": "title_senior",
    "text": "Decides: senior job title",
    "group": "fit",
    "points": 25,
    "when": [{"field": "job_title", "operator": "has_word", "value": ["director", "ceo"]}],
    "repeat": "once",
    "max_times": 1,
}


def _as_list(value: Any) -> Any:  # noqa: ANN401  whatever was sent
    return [value] if isinstance(value, str) else value


Points = Annotated[int, Field(strict=True, ge=-100, le=100)]
CutPoint = Annotated[int, Field(strict=True, ge=-1000, le=1000)]
CutPoints = Annotated[list[CutPoint], Items(3, min_length=3)]
Threshold = Annotated[int, Field(strict=True, ge=1, le=100)]
LowerText = Annotated[str, Text(200), AfterValidator(str.casefold)]
_Listed = Annotated[list[LowerText], Items(200)]
Values = Annotated[
    _Listed,
    BeforeValidator(_as_list, json_schema_input_type=_Listed | LowerText),
    Field(description="one value that fits is enough; a single text may stand bare"),
]


class PredicateIn(Body):
    """One question about one fact of the lead (fit) or of a touchpoint (engagement)."""

    field: LowerText = Field(
        description="fit: email, email_domain, phone, first_name, last_name, company, job_title, "
        "country. engagement: kind, channel, source_id, source_name, campaign_id, form_id, "
        "page_url, referrer, message, returning (yes or no), utm.*, click_ids.*, answers.*",
        examples=["job_title"],
    )
    operator: Operator
    value: Values = Field(default_factory=list[str])

    def predicate(self) -> Predicate:
        """Return it as the domain knows it."""
        return Predicate(self.field, self.operator, tuple(self.value))


class RuleIn(Body):
    """Points for what all of its predicates say."""

    code: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$", description="its name in every score")
    text: Annotated[str, Text(120)] = Field(description="its reason in words, shown to sales")
    group: Literal["fit", "engagement"]
    points: Points
    when: Annotated[list[PredicateIn], Items(10, min_length=1)]
    repeat: Repeat = Field(Repeat.ONCE, description="each: again for every touchpoint")
    max_times: int = Field(1, strict=True, ge=1, le=10, description="the most times of `each`")

    def rule(self) -> Rule:
        """Return it as the domain knows it."""
        return Rule(
            code=self.code,
            text=self.text,
            group=Group(self.group),
            points=self.points,
            when=tuple(each.predicate() for each in self.when),
            repeat=self.repeat,
            max_times=self.max_times,
        )


Rules = Annotated[
    list[RuleIn],
    Items(100, min_length=1),
    Field(examples=[[_EXAMPLE_RULE]]),
]


class ScorecardIn(Body):
    """A new draft."""

    name: Annotated[str, Text(100)] = Field(examples=["Autumn"])
    threshold: Threshold = Field(description="from this score on a lead qualifies", examples=[50])
    fit_cuts: CutPoints = Field(description="least points for A, B and C", examples=[[40, 25, 10]])
    engagement_cuts: CutPoints = Field(
        description="least points for 1, 2 and 3", examples=[[40, 25, 10]]
    )
    rules: Rules

    def book(self) -> Rulebook:
        """Return it as the domain knows it."""
        return Rulebook(
            name=self.name,
            threshold=self.threshold,
            fit_cuts=Cuts(*self.fit_cuts),
            engagement_cuts=Cuts(*self.engagement_cuts),
            rules=tuple(each.rule() for each in self.rules),
        )


class ScorecardChange(Body):
    """What is to change in a draft; what is left out stays. Rules are replaced as a whole."""

    name: Annotated[str, Text(100)] | None = Field(None, examples=["Winter"])
    threshold: Threshold | None = Field(None, examples=[60])
    fit_cuts: CutPoints | None = None
    engagement_cuts: CutPoints | None = None
    rules: Rules | None = None

    def book(self, before: Rulebook) -> Rulebook:
        """Return the rulebook with the changes."""
        cuts, more = self.fit_cuts, self.engagement_cuts
        return Rulebook(
            name=self.name or before.name,
            threshold=self.threshold or before.threshold,
            fit_cuts=Cuts(*cuts) if cuts else before.fit_cuts,
            engagement_cuts=Cuts(*more) if more else before.engagement_cuts,
            rules=tuple(each.rule() for each in self.rules) if self.rules else before.rules,
        )
