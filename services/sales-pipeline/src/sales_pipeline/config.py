"""Every knob of this service: `HANDOFF_…` variables, checked when the process starts."""

from shared.process import ServiceSettings


class Settings(ServiceSettings):
    """The pipeline has no knobs of its own: its rules are code, its routing is data."""
