"""Merge two leads that are one person: one card, and everything that is to be done for both."""

from dataclasses import dataclass
from datetime import datetime

from notifier.domain.task import Cause
from notifier.usecases.desk import Desk
from notifier.usecases.keep_lead_card import KeepLeadCard, keep_lead_card
from shared.aliases import Alias
from shared.contracts.event import Event
from shared.contracts.lead import LeadCard
from shared.ids import LeadId


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeLeads:
    """`merged_id` is an alias of `lead_id` now, whose card this is.

    They are what the two are by now; marketing merged `alias` into `survivor`, which may have
    merged on, as this service has heard before.
    """

    lead_id: LeadId
    merged_id: LeadId
    alias: LeadId
    survivor: Alias
    card: LeadCard


def merge_leads(command: MergeLeads, desk: Desk, *, now: datetime) -> list[Event]:
    """Move all tasks to the surviving lead; which deal goes on, sales says by `DealMerged`.

    Scoring may have heard of the merge first: what it said of both is held against all tasks.
    """
    card = KeepLeadCard(
        lead_id=command.lead_id, version=command.survivor.version, card=command.card
    )
    keep_lead_card(card, desk, now=now)
    lead, other = desk.lead(command.lead_id, now=now), desk.lead(command.merged_id, now=now)
    lead.take_over(other, alias=command.alias, survivor=command.survivor)
    lead.updated_at = now
    desk.keep(lead)
    desk.merge(command.merged_id, into=command.lead_id)
    for task in desk.unfinished(command.lead_id):
        if lead.forbids(task):
            task.cancel(cause=Cause.LEAD_DISQUALIFIED, now=now)
            desk.keep(task)
    return []
