"""Resolve a submission: find or make its lead, record the touchpoint, give it its outcome.

The order of resolving is the order of receipt; what was parked takes effect late, but never over
what was received after it.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from marketing_intake.domain.canonical import CanonicalLead, ConsentSaid
from marketing_intake.domain.erasure import traces_of_submission
from marketing_intake.domain.identity import Match
from marketing_intake.domain.lead import ConsentHeld, Lead
from marketing_intake.domain.source import Source
from marketing_intake.domain.submission import Outcome, Reason, Resolution, Sighting, sent_twice
from marketing_intake.usecases.cards import card_of
from marketing_intake.usecases.desk import ConsentRecord, Desk, Suggestion, TouchpointRecord
from shared.contracts.event import Event
from shared.contracts.lead import LeadCaptured, LeadUpdated, Touchpoint
from shared.ids import LeadId


@dataclass(frozen=True, slots=True)
class ResolveSubmission:
    """A submission that was read; `new_lead_id` is the lead's id if this makes one.

    `content_hash` is given for forms, whose visitors click twice and whose posts bear no id.
    """

    submission_id: UUID
    source: Source
    said: CanonicalLead
    received_at: datetime
    new_lead_id: LeadId
    content_hash: bytes | None = None

    @property
    def occurred_at(self) -> datetime:
        """When the person submitted it: what the sender says, but never after its receipt."""
        said = self.said.submitted_at
        return min(said, self.received_at) if said else self.received_at


def resolve_submission(command: ResolveSubmission, desk: Desk, *, now: datetime) -> list[Event]:
    """Give a submission its outcome; say `LeadCaptured` or `LeadUpdated` if it reached a lead."""
    refusal = _refusal(command, desk)
    if refusal is not None:
        return _end(command, desk, "rejected", reason=refusal)
    seen = sent_twice(_sightings(command, desk), received_at=command.received_at)
    if seen is not None:
        return _end(command, desk, "duplicate", lead_id=seen.lead_id, reason="sent_twice")
    match = desk.identities.find(email=command.said.email, phone=command.said.phone)
    lead = desk.leads[match.lead_id] if match.lead_id else _new_lead(command, desk, match, now)
    _teach(lead, command, desk, now)
    touchpoint = _touchpoint(command)
    desk.touchpoints.append(TouchpointRecord(lead.id, touchpoint, command.submission_id))
    _sightings(command, desk).append(Sighting(lead.id, command.received_at))
    _end(command, desk, "updated" if match.lead_id else "created", lead_id=lead.id)
    said = LeadUpdated if match.lead_id else LeadCaptured
    return [
        said(lead_id=lead.id, lead_version=lead.version, lead=card_of(lead), touchpoint=touchpoint)
    ]


def _refusal(command: ResolveSubmission, desk: Desk) -> Reason | None:
    said = command.said
    if not said.reachable:
        return "unreachable"
    for trace in traces_of_submission(email=said.email, phone=said.phone):
        known_by_email = said.email in desk.identities.by_email and trace.kind != "email"
        erased_at = None if known_by_email else desk.erased.get(trace)
        if erased_at is not None and command.received_at <= erased_at:
            return "erased"
    return None


def _sightings(command: ResolveSubmission, desk: Desk) -> list[Sighting]:
    if command.content_hash is None:
        return []
    return desk.sightings.setdefault((command.source.id, command.content_hash), [])


def _new_lead(command: ResolveSubmission, desk: Desk, match: Match, now: datetime) -> Lead:
    lead = Lead(id=command.new_lead_id, created_at=now, updated_at=now)
    desk.leads[lead.id] = lead
    desk.suggestions += [Suggestion(lead.id, other) for other in match.suggested]
    return lead


def _teach(lead: Lead, command: ResolveSubmission, desk: Desk, now: datetime) -> None:
    said = command.said
    lead.learn(said.card_fields(), received_at=command.received_at)
    for consent in said.consents:
        held = _held(consent, command)
        lead.consent(held)
        desk.consents.append(ConsentRecord(lead.id, held, command.submission_id))
    lead.change(now=now)
    desk.identify(lead.id, email=said.email, phone=said.phone)
    desk.dirty.add(lead.id)


def _held(consent: ConsentSaid, command: ResolveSubmission) -> ConsentHeld:
    occurred = consent.occurred_at or command.occurred_at
    return ConsentHeld(
        purpose=consent.purpose,
        granted=consent.granted,
        occurred_at=min(occurred, command.received_at),
        received_at=command.received_at,
        text=consent.text,
    )


def _touchpoint(command: ResolveSubmission) -> Touchpoint:
    """Return the touchpoint of a submission; it bears the submission's own id."""
    said, source = command.said, command.source
    return Touchpoint(
        touchpoint_id=command.submission_id,
        kind=source.touchpoint_kind,
        channel=source.channel,
        source_id=source.id,
        source_name=source.name,
        occurred_at=command.occurred_at,
        received_at=command.received_at,
        campaign_id=said.campaign_id,
        form_id=said.form_id,
        page_url=said.page_url,
        referrer=said.referrer,
        message=said.message,
        utm=dict(said.utm),
        click_ids=dict(said.click_ids),
        answers=dict(said.answers),
    )


def _end(
    command: ResolveSubmission,
    desk: Desk,
    outcome: Outcome,
    *,
    lead_id: LeadId | None = None,
    reason: Reason | None = None,
) -> list[Event]:
    desk.resolutions.append(Resolution(command.submission_id, outcome, lead_id, reason))
    return []
