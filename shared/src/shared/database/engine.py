"""Opens an engine with every limit set, and no surprise left to a default.

Statements are prepared once for each connection, which takes two fifths off what they cost
Postgres. Behind PgBouncer in transaction mode they cannot be. The limits are also set on the
database's roles where the deployment can, because PgBouncer drops what a driver asks for.
"""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import orjson
from sqlalchemy import event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from shared import limits
from shared.database.entry import Entry
from shared.files import Trust
from shared.settings import DatabaseSettings

_MILLISECONDS = 1000
_PREPARED = 200
"""How many statements a connection keeps: more than any service has."""

_INDEX_PLANS = {
    "enable_seqscan": "off",
    "enable_bitmapscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
}
"""On a fresh database, without statistics, hot statements were planned as sequential scans, and
stayed so. The hot roles touch a few rows by key, for which an index and a nested loop are right."""


_PLANNED_EACH_TIME = {"plan_cache_mode": "force_custom_plan"}
"""A list is asked for what is common and for what is rare. From the sixth time on Postgres may go
by one plan for both, which walked through all submissions for a source that had sent twenty."""


def server_settings(
    of: limits.DatabaseLimits, *, hot: bool = False, asked: bool = False
) -> dict[str, str]:
    """Return the Postgres settings of a connection, for the driver and for `ALTER ROLE`."""
    settings = {
        "statement_timeout": of.statement,
        "lock_timeout": of.lock,
        "idle_in_transaction_session_timeout": limits.IDLE_IN_TRANSACTION,
        "client_connection_check_interval": limits.CLIENT_CONNECTION_CHECK,
    }
    texts = {name: str(int(seconds * _MILLISECONDS)) for name, seconds in settings.items()}
    texts |= {"timezone": "UTC", "jit": "off"}
    return texts | (_INDEX_PLANS if hot else {}) | (_PLANNED_EACH_TIME if asked else {})


def open_engine(
    settings: DatabaseSettings,
    of: limits.DatabaseLimits = limits.API,
    *,
    hot: bool = False,
    asked: bool = False,
    pool_size: int = 10,
) -> AsyncEngine:
    """Open an engine on the service's own database; nothing connects before the first use.

    `hot`: a few rows are looked up by key. `asked`: for what people ask, now this and now that.
    """
    statements = _PREPARED if settings.database_prepares else 0
    engine = create_async_engine(
        driver_url(settings),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=limits.POOL_ACQUIRE,
        pool_pre_ping=False,
        hide_parameters=True,  # an error's text goes to a log, a row's values never
        json_serializer=_dumps,
        json_deserializer=orjson.loads,
        connect_args={
            "timeout": limits.CONNECT,
            "command_timeout": of.driver,
            "statement_cache_size": statements,
            "prepared_statement_cache_size": statements,
            # What is too old the driver closes without any limit of time.
            "max_cached_statement_lifetime": 0,
            "server_settings": server_settings(of, hot=hot, asked=asked),
            **tls(settings.database_ca),
        },
    )
    event.listen(engine.sync_engine, "do_connect", Entry(settings.database_url).connect)
    event.listen(engine.sync_engine, "handle_error", _give_up)
    return engine


def _give_up(context: ExceptionContext) -> None:
    """Close a connection on which something took too long: it may still be done, or half done.

    It would go back to the pool, perhaps within a transaction that the next one does not know of.
    """
    if isinstance(context.original_exception, TimeoutError):
        context.is_disconnect = True
        context.invalidate_pool_on_disconnect = False


def tls(authority: Path | None) -> dict[str, Any]:
    """Return the driver's arguments for TLS; the certificate must be of the host."""
    return {"ssl": Trust(authority)} if authority else {}


def driver_url(settings: DatabaseSettings) -> str:
    """Return the address with asyncpg as the driver."""
    parts = urlsplit(settings.database_url.get_secret_value())
    return urlunsplit(parts._replace(scheme="postgresql+asyncpg"))


def _dumps(value: Any) -> str:  # noqa: ANN401  JSON takes anything
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
