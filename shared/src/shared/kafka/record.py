"""A record as messaging sees it. Apart from the rest of the port, which the library comes with."""

from collections.abc import Sequence
from typing import Protocol


class Record(Protocol):
    """A record as it was read: raw bytes."""

    @property
    def topic(self) -> str:
        """The physical topic."""
        ...

    @property
    def partition(self) -> int:
        """The partition."""
        ...

    @property
    def offset(self) -> int:
        """The place in the partition."""
        ...

    @property
    def key(self) -> bytes | None:
        """The subject, as text."""
        ...

    @property
    def value(self) -> bytes | None:
        """The event's JSON."""
        ...

    @property
    def headers(self) -> Sequence[tuple[str, bytes]]:
        """The envelope."""
        ...
