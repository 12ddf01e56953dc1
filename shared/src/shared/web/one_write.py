"""An answer's head goes out together with the first of its body; uvicorn writes them one by one.

Each write is a packet that wakes whoever waits for it: a second one is a twelfth of what a small
answer costs. What is answered, and when a connection closes, is not decided here.
"""

import asyncio


class OneWrite:
    """What a request's answer is written to: the first piece is held until the second comes.

    Not for an answer to HEAD, which has no second, and not where `100 Continue` would be the first.
    """

    __slots__ = ("_head", "_transport")

    def __init__(self, transport: asyncio.Transport) -> None:
        """Write to a connection's transport, which is open."""
        self._transport = transport
        self._head: bytes | None = b""

    def write(self, data: bytes) -> None:
        """Hold the head; write anything else, the first time with the head before it."""
        if self._head is None:
            self._transport.write(data)
        elif not self._head:
            self._head = data
        else:
            self._transport.write(self._head + data)
            self._head = None

    def close(self) -> None:
        """Write what is held, then close: an answer that broke off shows its head all the same."""
        if self._head:
            self._transport.write(self._head)
        self._head = None
        self._transport.close()

    def is_closing(self) -> bool:
        """Whether nothing more can be written."""
        return self._transport.is_closing()
