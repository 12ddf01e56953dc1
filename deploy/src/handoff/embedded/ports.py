"""Which loopback ports the stack uses: a preferred one, or the next free, then remembered."""

import json
import socket
from pathlib import Path

LOOPBACK = "127.0.0.1"
_STEPS = 500


class PortsInUse(Exception):
    """No port near the preferred one is free."""


def listen(port: int) -> socket.socket:
    """Return a socket that listens on a loopback port.

    Raises:
        OSError: the port is in use.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((LOOPBACK, port))
        listener.listen(1024)
    except OSError:
        listener.close()
        raise
    return listener


class Ports:
    """The ports given out so far, by the name of who uses them; kept in a file between runs."""

    def __init__(self, path: Path) -> None:
        """Recall what was given out before, as far as `path` says."""
        self._path = path
        self._known: dict[str, int] = json.loads(path.read_text()) if path.exists() else {}
        self._given: set[int] = set()

    def claim(self, name: str, preferred: int) -> int:
        """Return a free port for `name`, the same as last time if it is still free."""
        with self.open(name, preferred) as listener:
            return int(listener.getsockname()[1])

    def open(self, name: str, preferred: int) -> socket.socket:
        """Return a listening socket for `name`: the remembered port, else the first free one.

        Raises:
            PortsInUse: everything from `preferred` on is taken.
        """
        remembered = self._known.get(name, preferred)
        for port in (remembered, *range(preferred, preferred + _STEPS)):
            if port in self._given or self._is_anothers(port, name):
                continue
            try:
                listener = listen(port)
            except OSError:
                continue
            self._remember(name, port)
            return listener
        raise PortsInUse(f"no free port for {name} from {preferred} on")

    def _is_anothers(self, port: int, name: str) -> bool:
        return any(port == known for other, known in self._known.items() if other != name)

    def _remember(self, name: str, port: int) -> None:
        self._given.add(port)
        self._known[name] = port
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text(json.dumps(self._known, indent=2, sort_keys=True) + "\n")
