"""Record that a known person gave or withdrew consent, without a submission."""

from dataclasses import dataclass
from datetime import datetime

from marketing_intake.domain.lead import ConsentHeld
from marketing_intake.usecases.cards import card_of
from marketing_intake.usecases.desk import ConsentRecord, Desk
from shared.contracts.event import Event
from shared.contracts.lead import ConsentChanged
from shared.ids import LeadId


@dataclass(frozen=True, slots=True)
class ChangeConsent:
    """What a person now allows or refuses, for one purpose; without a time: now."""

    lead_id: LeadId
    purpose: str
    granted: bool
    text: str | None = None
    occurred_at: datetime | None = None


def change_consent(command: ChangeConsent, desk: Desk, *, now: datetime) -> list[Event]:
    """Keep the consent as evidence and make it hold; say `ConsentChanged`.

    Raises:
        LeadNotFound: there is no such lead, or it was erased.
    """
    lead = desk.lead(command.lead_id)
    held = ConsentHeld(
        purpose=command.purpose,
        granted=command.granted,
        occurred_at=min(command.occurred_at or now, now),
        received_at=now,
        text=command.text,
    )
    lead.consent(held)
    lead.change(now=now)
    desk.dirty.add(lead.id)
    desk.consents.append(ConsentRecord(lead.id, held))
    return [ConsentChanged(lead_id=lead.id, lead_version=lead.version, lead=card_of(lead))]
