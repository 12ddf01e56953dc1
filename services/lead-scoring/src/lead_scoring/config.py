"""All that can be set for lead-scoring, from `HANDOFF_…` variables; checked at the start."""

from shared.settings import DatabaseSettings, KafkaSettings, TelemetrySettings, WebSettings


class Settings(DatabaseSettings, KafkaSettings, WebSettings, TelemetrySettings):
    """Settings of one process; scoring has none of its own."""
