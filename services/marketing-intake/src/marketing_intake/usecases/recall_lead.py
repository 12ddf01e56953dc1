"""Recall a lead by what was said of it: the database was restored to a time before that.

An event tells the card and a touchpoint, so both can be had again. What it does not tell, the
submission among it, is gone.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import cast

from marketing_intake.domain.lead import ConsentHeld, Lead
from marketing_intake.usecases.desk import ConsentRecord, Desk, Suggestion, TouchpointRecord
from shared.contracts.lead import Consent, LeadCard, Touchpoint
from shared.ids import LeadId


@dataclass(frozen=True, slots=True)
class RecallLead:
    """What was said of a lead, when, and in which version of it."""

    lead_id: LeadId
    version: int
    said_at: datetime
    card: LeadCard | None
    touchpoint: Touchpoint | None


def recall_lead(command: RecallLead, desk: Desk) -> None:
    """Let the lead be as it was said to be, but for what was received later.

    Its version is at least that one. An e-mail that another lead has by now stays that one's, and
    the two are suggested as one person.
    """
    lead = desk.leads.get(command.lead_id) or _make(command, desk)
    lead.version = max(lead.version, command.version)
    desk.dirty.add(lead.id)
    if lead.erased_at is not None:
        return
    touchpoint = command.touchpoint
    if command.card:
        at = touchpoint.received_at if touchpoint else command.said_at
        _learn(lead, command.card, desk, received_at=at)
    if touchpoint:
        desk.touchpoints.append(TouchpointRecord(lead.id, touchpoint))


def _make(command: RecallLead, desk: Desk) -> Lead:
    at = command.said_at
    return desk.leads.setdefault(
        command.lead_id, Lead(id=command.lead_id, created_at=at, updated_at=at)
    )


def _learn(lead: Lead, card: LeadCard, desk: Desk, *, received_at: datetime) -> None:
    texts = cast("dict[str, str]", card.model_dump(exclude={"consents"}, exclude_none=True))
    owner = desk.identities.by_email.get(texts.get("email", ""))
    if owner not in {None, lead.id}:
        desk.suggestions.append(Suggestion(lead.id, cast("LeadId", owner)))
        del texts["email"]
    news = {name: text for name, text in texts.items() if lead.text(name) != text}
    lead.learn(news, received_at=received_at)
    desk.identify(lead.id, email=texts.get("email"), phone=texts.get("phone"))
    for consent in card.consents:
        _consent(lead, consent, desk, received_at=received_at)


def _consent(lead: Lead, consent: Consent, desk: Desk, *, received_at: datetime) -> None:
    held = lead.consents.get(consent.purpose)
    if held and (held.granted, held.occurred_at) == (consent.granted, consent.occurred_at):
        return
    told = ConsentHeld(
        consent.purpose, consent.granted, consent.occurred_at, received_at, consent.text
    )
    lead.consent(told)
    desk.consents.append(ConsentRecord(lead.id, told))
