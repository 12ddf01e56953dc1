"""Postgres that takes TLS alone: who it must be, and who else is refused."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.stack.running import Stack
from tests.stack.secured import Authority, exchange_certificate, secured_postgres
from tests.stack.waiting import until

from handoff.layout import Layout
from handoff.site import find_site
from handoff.views import connect
from shared.database.engine import open_engine
from shared.database.errors import Kind, kind_of
from shared.settings import DatabaseSettings

SERVICE = "lead-scoring"
_TLS = "SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.made(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
async def secured(stack: Stack, authority: Authority) -> AsyncGenerator[Stack]:
    async with secured_postgres(stack, authority) as secured:
        yield secured


def settings(secured: Stack, authority: Path | None) -> DatabaseSettings:
    return DatabaseSettings(
        database_url=secured.url("lead_scoring", "lead_scoring"), database_ca=authority
    )


async def spoken(settings: DatabaseSettings) -> str:
    """Return the version of TLS that a service speaks with Postgres."""
    engine = open_engine(settings)
    try:
        async with engine.connect() as connection:
            return str(await connection.scalar(text(_TLS)))
    finally:
        await engine.dispose()


async def test_a_service_speaks_tls_with_the_host_that_it_was_told(
    secured: Stack, authority: Authority
) -> None:
    assert await spoken(settings(secured, authority.path)) in {"TLSv1.2", "TLSv1.3"}


async def test_a_server_of_another_authority_is_not_spoken_to(
    secured: Stack, tmp_path: Path
) -> None:
    stranger = Authority.made(tmp_path)
    with pytest.raises(Exception, match="certificate verify failed") as refused:
        await spoken(settings(secured, stranger.path))

    assert kind_of(refused.value) is Kind.INFRASTRUCTURE


async def test_a_certificate_of_another_host_is_refused(stack: Stack, authority: Authority) -> None:
    async with secured_postgres(stack, authority, host="elsewhere.example") as elsewhere:
        with pytest.raises(Exception, match="certificate is not valid for"):
            await spoken(settings(elsewhere, authority.path))


async def test_the_authority_is_exchanged_while_an_engine_is_in_use(
    stack: Stack, tmp_path: Path
) -> None:
    old, new = Authority.made(tmp_path / "old"), Authority.made(tmp_path / "new")
    trusted = tmp_path / "trusted.pem"
    trusted.write_bytes(old.path.read_bytes())
    async with secured_postgres(stack, old) as secured:
        engine = open_engine(settings(secured, trusted))
        try:
            async with engine.connect() as before:
                trusted.write_bytes(old.path.read_bytes() + new.path.read_bytes())
                async with engine.connect() as meanwhile:
                    await exchange_certificate(secured, old, new)
                    trusted.write_bytes(new.path.read_bytes())
                    await until(lambda: lets_in(engine), seconds=10)
                    answers = [await each.scalar(text("SELECT 1")) for each in (before, meanwhile)]
        finally:
            await engine.dispose()

    assert answers == [1, 1]


async def lets_in(engine: AsyncEngine) -> bool:
    """Tell whether a new connection is made with who is trusted now."""
    try:
        async with engine.connect():
            return True
    except OSError:
        return False


async def test_the_command_speaks_tls_too(
    secured: Stack, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = secured.url("operations", "lead_scoring")
    environment = {"HANDOFF_OPERATIONS_DATABASE_URL_LEAD_SCORING": url}
    layout, stranger = Layout(root=tmp_path, run=tmp_path), Authority.made(tmp_path / "stranger")
    monkeypatch.setenv("HANDOFF_DATABASE_CA", str(authority.path))
    site = find_site(environment, layout)
    monkeypatch.setenv("HANDOFF_DATABASE_CA", str(stranger.path))
    untrusting = find_site(environment, layout)

    async with connect(site.database(SERVICE)) as connection:
        assert await connection.fetchval(_TLS) in {"TLSv1.2", "TLSv1.3"}
    with pytest.raises(OSError, match="certificate verify failed"):
        async with connect(untrusting.database(SERVICE)):
            pass
