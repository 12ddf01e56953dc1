"""What a first run is given to play with, once everything is up; nothing yet."""

from handoff.state import SystemState


async def seed(running: SystemState) -> str:
    """Make the demonstration's records unless they exist; return the text that `up` prints."""
    del running
    return ""
