"""How old an event is when its effect commits: since it was said, and since its story began."""

from datetime import datetime

from shared.contracts.envelope import Envelope
from shared.telemetry import metrics


def measure(envelope: Envelope, now: datetime, *, listened: bool) -> None:
    """Observe an event's ages; one that nobody listens to is the end of no story."""
    metrics.child(metrics.EVENT_AGE, envelope.topic).observe(_age(envelope.said_at, now))
    began = envelope.began_at if listened else None
    if began is not None:
        metrics.child(metrics.STORY_AGE, envelope.topic).observe(_age(began, now))


def _age(since: datetime, now: datetime) -> float:
    """Return seconds; never below 0, where two machines' clocks differ."""
    return max(0.0, (now - since).total_seconds())
