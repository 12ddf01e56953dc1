"""What marketing says when it merges two leads."""

from uuid import UUID

from shared.clock import utc_now
from shared.contracts.lead import LeadCard, LeadMerged


def merges(
    gone: UUID, *, into: UUID, version: int = 5, card: LeadCard | None = None
) -> list[LeadMerged]:
    """Return the two events of a merge: the alias's, then the survivor's."""
    return [
        LeadMerged(
            lead_id=lead_id,
            lead_version=version,
            merged_id=gone,
            surviving_id=into,
            lead=card or LeadCard(email="one@person.example", first_name="Ada"),
            merged_at=utc_now(),
        )
        for lead_id in (gone, into)
    ]
