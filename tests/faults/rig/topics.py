"""What a scenario's topics hold in the end."""

from tests.stack.topics import Stream, Streams, read_back

__all__ = ["Stream", "Streams", "read_back"]
