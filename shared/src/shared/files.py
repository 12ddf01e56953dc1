"""What files give a process that runs on: secrets and authorities, read again at each use.

So a rotation needs no restart. Nothing watches the files: they are asked for when a connection is
made, which is seldom. A file that is missing, empty or half written for a moment costs nothing,
because what it gave last goes on to be used.
"""

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Generic, Self, TypeVar

from pydantic import SecretStr
from typing_extensions import override

from shared.loggers import get_logger

log = get_logger(__name__)

T = TypeVar("T")


class Unusable(OSError):
    """A file gives nothing that could be used; the text says which and why, and nothing of it."""


class Reread(Generic[T]):
    """What a file gives now, or what it gave last while it gives nothing."""

    def __init__(self, path: Path, read: Callable[[Path], T]) -> None:
        """Read it for the first time.

        Raises:
            Unusable: it must be good at the start.
        """
        self._path = path
        self._read = read
        self._is_missed = False
        try:
            self._last = read(path)
        except (OSError, ValueError) as error:
            raise Unusable(f"{path} {_reason(error)}") from None

    def now(self) -> T:
        """Return it. Of each time in which it cannot be used one warning tells."""
        try:
            self._last = self._read(self._path)
        except (OSError, ValueError) as error:
            if not self._is_missed:
                log.warning("file_not_usable", file=str(self._path), reason=_reason(error))
            self._is_missed = True
        else:
            self._is_missed = False
        return self._last


def read_text(path: Path) -> str:
    """Return what a file says, without the one newline at its end.

    Raises:
        OSError, ValueError: there is no such file, or nothing in it.
    """
    text = path.read_text(encoding="utf-8").removesuffix("\n").removesuffix("\r")
    if not text:
        raise ValueError("is empty")
    return text


class SecretFile(SecretStr):
    """A secret that a file holds: whoever asks for its value gets what the file says then."""

    def __init__(self, path: Path) -> None:
        """Read it for the first time.

        Raises:
            Unusable: it cannot be read, or is empty.
        """
        self._file = Reread(path, read_text)
        super().__init__(self._file.now())

    @override
    def get_secret_value(self) -> str:
        return self._file.now()


class Trust(ssl.SSLContext):
    """Trusts the authorities that a PEM file names at the moment of each handshake.

    A client's context, so the other's certificate must be of its host.
    """

    def __new__(cls, path: Path) -> Self:  # noqa: ARG004  which is for `__init__`
        """Make a context for clients."""
        return super().__new__(cls, ssl.PROTOCOL_TLS_CLIENT)

    def __init__(self, path: Path) -> None:
        """Read the file for the first time.

        Raises:
            Unusable: it names no authority.
        """
        self._now = Reread(path, _context)

    @override
    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        return self._now.now().wrap_bio(incoming, outgoing, server_side, server_hostname, session)


def _context(path: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=path)


def _reason(error: OSError | ValueError) -> str:
    """Say what is wrong with a file, in words that cannot quote it."""
    if isinstance(error, ssl.SSLError):
        return "holds no certificate of an authority in PEM"
    if isinstance(error, OSError):
        return f"cannot be read ({error.strerror})"
    return "is not UTF-8" if isinstance(error, UnicodeError) else str(error)
