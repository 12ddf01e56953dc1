"""What the loops need to know, and what they check of it."""

from pydantic import Field, field_validator

from shared.contracts.catalogue import RETENTION_DAYS
from shared.settings import HandoffSettings, KafkaSettings, LoopSettings


class RetentionSettings(HandoffSettings):
    """How long is kept what may go."""

    archive_days: int = Field(
        default=30,
        le=3650,
        description="how long a sent event stays in the archive; longer than the topics keep it",
    )

    @field_validator("archive_days")
    @classmethod
    def _outlives_the_topics(cls, days: int) -> int:
        if days <= RETENTION_DAYS:
            raise ValueError(
                f"must be more than the {RETENTION_DAYS} days for which the topics keep an event: "
                "what Kafka still holds must be known here, or the relay takes the database for a "
                "restored one"
            )
        return days


class WorkerSettings(KafkaSettings, LoopSettings, RetentionSettings):
    """What the loops need to know."""
