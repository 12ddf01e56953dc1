"""Every knob of this service: `HANDOFF_…` variables, checked when the process starts."""

from shared.settings import DatabaseSettings, KafkaSettings, TelemetrySettings, WebSettings


class Settings(DatabaseSettings, KafkaSettings, WebSettings, TelemetrySettings):
    """The notifier has no knobs of its own: what it does is in its playbooks."""
