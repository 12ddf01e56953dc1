"""What became of the leads, step by step, and whether the numbers fit together. Pure arithmetic."""

from collections.abc import Iterator

from pydantic import BaseModel, Field


class Funnel(BaseModel):
    """Counts of one run, read from five places that know nothing of each other."""

    sent: int
    refused: int
    accepted: int = Field(description="answered 202, with a receipt")
    submissions: dict[str, int] = Field(description="by outcome, or by what they wait as")
    created: int = Field(description="leads that submissions of this run made")
    leads: int = Field(description="leads that submissions of this run belong to")
    captured: int = Field(description="of these, how many were said: LeadCaptured")
    scored: int
    grades: dict[str, int]
    qualified: int = Field(description="of these, how many ever crossed the threshold")
    with_deal: int = Field(description="of these, for how many a deal was ever opened")
    deals_opened: int
    deals: int = Field(description="deals that sales-pipeline shows for them")
    with_task: int
    tasks_created: int
    tasks: int = Field(description="tasks that notifier shows for them")
    unheard: int = Field(description="streams in which something said was neither heard nor parked")


class Sum(BaseModel):
    """Two numbers that have to be equal."""

    text: str
    left: int
    right: int

    @property
    def holds(self) -> bool:
        """Tell whether they are."""
        return self.left == self.right


OUTCOMES = ("created", "updated", "duplicate", "quarantined", "rejected")


def sums_of(funnel: Funnel) -> Iterator[Sum]:
    """Give every equation that must hold."""
    of = funnel.submissions.get
    yield _sum("sent = accepted", funnel.sent, funnel.accepted)
    yield _sum(
        "accepted = submissions with an outcome",
        funnel.accepted,
        sum(of(outcome, 0) for outcome in OUTCOMES),
    )
    yield _sum("submissions `created` = new leads", of("created", 0), funnel.created)
    yield _sum("leads = LeadCaptured said", funnel.leads, funnel.captured)
    yield _sum("leads = leads with a score", funnel.leads, funnel.scored)
    yield _sum("qualified leads = leads with a deal", funnel.qualified, funnel.with_deal)
    yield _sum("DealOpened said = deals shown", funnel.deals_opened, funnel.deals)
    yield _sum("leads with a deal = leads with a task", funnel.with_deal, funnel.with_task)
    yield _sum("TaskCreated said = tasks shown", funnel.tasks_created, funnel.tasks)
    yield _sum("streams left unheard = none", funnel.unheard, 0)


def _sum(text: str, left: int, right: int) -> Sum:
    return Sum(text=text, left=left, right=right)
