"""Reads the statements in what a client sends to PostgreSQL, and cuts the connection at one.

Knows of the protocol (version 3) what it takes to split it: a first message without a type, then
type, length, content. A simple query is a statement, and so is each execution of a parsed one.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

Place = tuple[str | None, str]
"""A statement, and the one before it on its connection: which COMMIT, which BEGIN it is.

None: whatever came before."""

_LENGTH = 4
_SSL_REQUEST = 80_877_103
_LONGEST = 120


@dataclass
class Statements:
    """The statements of one connection, as they go by."""

    left: bytes = b""
    began: bool = False
    parsed: str = ""

    def read(self, piece: bytes) -> Iterator[str]:
        """Take what the client sent; give the statements that are complete in it."""
        self.left += piece
        while (message := self._message()) is not None:
            kind, content = message
            if kind == b"P":
                self.parsed = _text(content.split(b"\0", 2)[1])
            elif kind == b"Q":
                yield _text(content.rstrip(b"\0"))
            elif kind == b"E":
                yield self.parsed

    def _message(self) -> tuple[bytes, bytes] | None:
        """Take the first whole message off what is left."""
        head = 1 if self.began else 0
        if len(self.left) < head + _LENGTH:
            return None
        size = int.from_bytes(self.left[head : head + _LENGTH])
        if len(self.left) < head + size:
            return None
        kind, content = self.left[:head], self.left[head + _LENGTH : head + size]
        self.left = self.left[head + size :]
        if not self.began:  # the request for TLS comes first, and is a message of this form too
            self.began = int.from_bytes(content[:_LENGTH]) != _SSL_REQUEST
        return kind, content


def _text(statement: bytes) -> str:
    """Return a statement in one line, cut to what tells it from others."""
    return " ".join(statement.decode(errors="replace").split())[:_LONGEST]


@dataclass
class Cutter:
    """Watches all connections of a proxy: notes which statements go by, and cuts at one place.

    The statement is passed on: the server carries it out, and nobody hears of it.
    """

    seen: dict[Place, int] = field(default_factory=dict)
    at: Place | None = None
    cuts: int = 0

    def watch(self) -> "_Connection":
        """Return what watches a new connection."""
        return _Connection(self)

    def passes(self, place: Place) -> bool:
        """Note a statement; tell whether its connection is to be cut."""
        self.seen[place] = self.seen.get(place, 0) + 1
        if self.at not in (place, (None, place[1])):
            return False
        self.at = None
        self.cuts += 1
        return True


@dataclass
class _Connection:
    cutter: Cutter
    statements: Statements = field(default_factory=Statements)
    before: str = ""

    def __call__(self, piece: bytes) -> bool:
        cut = False
        for statement in self.statements.read(piece):
            cut = self.cutter.passes((self.before, statement)) or cut
            self.before = statement
        return cut
