"""Every knob of this service: `HANDOFF_…` variables, checked when the process starts."""

from shared.process import ServiceSettings


class Settings(ServiceSettings):
    """The notifier has no knobs of its own: what it does is in its playbooks."""
