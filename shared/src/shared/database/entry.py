"""How a new connection enters the database: with the address, and so the password, of this moment.

A role has one password at a time. Where the file is changed before the role is, what is new there
is refused for as long as that lasts, and what was let in last still opens: so no request fails.
"""

import socket
from collections.abc import Mapping
from typing import Any

from pydantic import SecretStr
from sqlalchemy.engine import Dialect, make_url
from sqlalchemy.exc import ArgumentError

from shared.database.errors import is_refused
from shared.loggers import get_logger

log = get_logger(__name__)

_HALF_AN_ADDRESS = (socket.gaierror, ArgumentError, ValueError)


class Entry:
    """The way in of one engine; remembers the last address that was let in."""

    def __init__(self, address: SecretStr) -> None:
        """Take note of where it is said; nothing connects yet."""
        self._address = address
        self._let_in: str | None = None

    def connect(
        self, dialect: Dialect, _record: object, args: list[Any], options: dict[str, Any]
    ) -> Any:  # noqa: ANN401  SQLAlchemy's own kind of connection
        """Open a connection: SQLAlchemy's event `do_connect`."""
        address, known = self._address.get_secret_value(), self._let_in
        try:
            made = _connect(dialect, address, args, options)
        except Exception as error:
            if known is None or known == address or not _is_of_the_address(error):
                raise
            log.warning("new_database_address_refused", error=type(error).__name__)
            return _connect(dialect, known, args, options)
        self._let_in = address
        return made


def _is_of_the_address(error: Exception) -> bool:
    return is_refused(error) or isinstance(error, _HALF_AN_ADDRESS)


def _connect(dialect: Dialect, address: str, args: list[Any], options: Mapping[str, Any]) -> Any:  # noqa: ANN401  as above
    _, named = dialect.create_connect_args(make_url(address))
    return dialect.connect(*args, **{**options, **named})
