"""The explicit table that sorts what a database call can raise.

Infrastructure is waited through, contention is tried again, data is somebody's fault. Whoever
catches an error asks here; nobody reads SQLSTATEs elsewhere.
Source: PostgreSQL 15, appendix A, "PostgreSQL Error Codes".
"""

from collections.abc import Iterator
from enum import Enum

from asyncpg.exceptions import InterfaceError as DriverError
from asyncpg.exceptions import InternalClientError, InvalidCachedStatementError
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeout


class Kind(Enum):
    """What an error asks for."""

    INFRASTRUCTURE = "the database is away or going away: the same again, later"
    CONTENTION = "another transaction was in the way: the same again, a few times"
    DATA = "the statement or its values are wrong: never again as it is"


_CONTENTION = frozenset({"40001", "40P01", "55P03", "57014"})
_NO_WAY_IN = ("28", "3D")
"""While a password or a whole database is exchanged."""
_INFRASTRUCTURE_CLASSES = (*_NO_WAY_IN, "08", "53", "57P", "58", "25006")
_CODE_LENGTH = 5
_LINKS = 3


def kind_of(error: BaseException) -> Kind | None:
    """Sort an error; None: it did not come from the database or the network."""
    code = _sqlstate(error)
    if code in _CONTENTION or _is_prepared_before_a_migration(error):
        return Kind.CONTENTION
    if code is not None:
        known = code.startswith(_INFRASTRUCTURE_CLASSES)
        return Kind.INFRASTRUCTURE if known else Kind.DATA
    return _kind_without_code(error)


def is_refused(error: BaseException) -> bool:
    """Tell whether Postgres lets nobody in by this name, password and database."""
    return (_sqlstate(error) or "").startswith(_NO_WAY_IN)


def _kind_without_code(error: BaseException) -> Kind | None:
    if isinstance(error, OSError | TimeoutError | PoolTimeout | InternalClientError):
        return Kind.INFRASTRUCTURE
    if isinstance(error, DriverError | InterfaceError):
        return Kind.DATA if _is_bad_value(error) else Kind.INFRASTRUCTURE
    if isinstance(error, DBAPIError):
        lost = error.connection_invalidated or isinstance(error.orig, OSError | TimeoutError)
        return Kind.INFRASTRUCTURE if lost else Kind.DATA
    return None


def _is_prepared_before_a_migration(error: BaseException) -> bool:
    """A migration changed what a prepared statement returns; its code says "not supported"."""
    return any(isinstance(link, InvalidCachedStatementError) for link in _chain(error))


def _is_bad_value(error: BaseException) -> bool:
    """Asyncpg says `InterfaceError` also of a value that it cannot encode (its `DataError`)."""
    return any(isinstance(link, ValueError) for link in _chain(error))


def _sqlstate(error: BaseException) -> str | None:
    codes = (getattr(link, "sqlstate", None) for link in _chain(error))
    return next(
        (code for code in codes if isinstance(code, str) and len(code) == _CODE_LENGTH), None
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield the error and what it was made of: SQLAlchemy wraps the driver's twice."""
    link: BaseException | None = error
    for _ in range(_LINKS):
        if link is None:
            return
        yield link
        link = getattr(link, "orig", None) or link.__cause__
