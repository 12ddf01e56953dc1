"""A lead as other services are told of it."""

from marketing_intake.domain.lead import Lead
from shared.contracts.lead import Consent, LeadCard


def card_of(lead: Lead) -> LeadCard:
    """Return what goes into every event about a lead: who, how to reach them, what they allow."""
    consents = (lead.consents[purpose] for purpose in sorted(lead.consents))
    return LeadCard(
        **{name: known.text for name, known in lead.fields.items()},
        consents=tuple(
            Consent(
                purpose=held.purpose,
                granted=held.granted,
                occurred_at=held.occurred_at,
                text=held.text,
            )
            for held in consents
        ),
    )
