"""What an error of the database asks for: waiting, another try, or nobody's patience."""

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from shared.database.errors import Kind, kind_of


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (asyncpg.CannotConnectNowError("starting up"), Kind.INFRASTRUCTURE),
        (asyncpg.AdminShutdownError("ended"), Kind.INFRASTRUCTURE),
        (asyncpg.TooManyConnectionsError("full"), Kind.INFRASTRUCTURE),
        (asyncpg.DiskFullError("full"), Kind.INFRASTRUCTURE),
        (asyncpg.ReadOnlySQLTransactionError("a standby"), Kind.INFRASTRUCTURE),
        (asyncpg.InvalidCatalogNameError("being restored"), Kind.INFRASTRUCTURE),
        (asyncpg.InvalidPasswordError("being exchanged"), Kind.INFRASTRUCTURE),
        (asyncpg.InvalidAuthorizationSpecificationError("no entry"), Kind.INFRASTRUCTURE),
        (ConnectionRefusedError(), Kind.INFRASTRUCTURE),
        (TimeoutError(), Kind.INFRASTRUCTURE),
        (PoolTimeout("nothing free"), Kind.INFRASTRUCTURE),
        (asyncpg.DeadlockDetectedError("deadlock"), Kind.CONTENTION),
        (asyncpg.LockNotAvailableError("held"), Kind.CONTENTION),
        (asyncpg.QueryCanceledError("statement timeout"), Kind.CONTENTION),
        (asyncpg.SerializationError("again"), Kind.CONTENTION),
        (asyncpg.InvalidCachedStatementError("a migration came between"), Kind.CONTENTION),
        (asyncpg.FeatureNotSupportedError("never"), Kind.DATA),
        (asyncpg.UniqueViolationError("taken"), Kind.DATA),
        (asyncpg.InsufficientPrivilegeError("may not"), Kind.DATA),
        (asyncpg.UndefinedTableError("not migrated"), Kind.DATA),
        (ZeroDivisionError(), None),
    ],
    ids=lambda part: type(part).__name__ if isinstance(part, Exception) else "",
)
def test_an_error_is_sorted_by_what_it_asks_for(error: Exception, kind: Kind | None) -> None:
    assert kind_of(error) is kind


def test_an_error_that_sqlalchemy_has_wrapped_is_sorted_as_the_one_within() -> None:
    wrapped = DBAPIError("SELECT 1", None, asyncpg.DeadlockDetectedError("deadlock"))

    assert kind_of(wrapped) is Kind.CONTENTION
