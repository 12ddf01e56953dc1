"""Every knob of this service: `HANDOFF_…` variables, checked when the process starts."""

from shared.process import ServiceSettings


class Settings(ServiceSettings):
    """Scoring has no knobs of its own: its rules are scorecards, which are data."""
