"""Every knob of this service: `HANDOFF_…` variables, checked when the process starts."""

from shared.settings import DatabaseSettings, KafkaSettings, TelemetrySettings, WebSettings


class Settings(DatabaseSettings, KafkaSettings, WebSettings, TelemetrySettings):
    """The pipeline has no knobs of its own: its rules are code, its routing is data."""
