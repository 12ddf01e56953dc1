"""Who says events to a scenario's hearers."""

from tests.stack.feeder import Feeder, captured, feeding, updated

__all__ = ["Feeder", "captured", "feeding", "updated"]
