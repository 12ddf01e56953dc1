"""Looks at an installation from where it stands, a pod or a laptop: what is off, and what mends it.

It only asks. Each finding is a sentence that names the setting or the command which helps.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import asyncpg
import httpx
from aiokafka.errors import KafkaError

from handoff.services import SERVICES, Service
from handoff.site import API, DATABASE, NotFound, Site, variable
from handoff.views import connect
from shared.clock import utc_now
from shared.database.schema import fault_of, is_newer
from shared.kafka import topics
from shared.settings import KafkaSettings

_ANSWER_WITHIN = 5.0
_CLOCK_SECONDS = 5.0
"""Ids carry the time at which they were made, and tell by it which lead is older than a hearer."""
_LOOK = "SELECT clock_timestamp() AS now, (SELECT version_num FROM alembic_version) AS version"
_EXPECTED = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError)


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of a report."""

    fine: bool
    text: str


async def examine(site: Site) -> list[Finding]:
    """Return what is found of databases, APIs and Kafka, the services in their order."""
    found = await asyncio.gather(
        *(_database(site, service) for service in SERVICES),
        *(_api(site, service) for service in SERVICES),
    )
    return [*found, *[each async for each in _kafka(site.kafka)]]


async def _database(site: Site, service: Service) -> Finding:
    name, setting = f"{service.name}: database", variable(DATABASE, service)
    try:
        async with connect(site.database(service.name)) as connection:
            before = utc_now()
            row = await connection.fetchrow(_LOOK)
            assert row is not None  # noqa: S101  a SELECT without FROM has one row
            off = (row["now"] - before).total_seconds()
    except NotFound as error:
        return Finding(False, f"{name}: {error}")
    except asyncpg.UndefinedTableError:
        return _tables(name, service, None)
    except _EXPECTED as error:
        return Finding(False, f"{name} does not let us in: {_why(error)}; see {setting}")
    if abs(off) > _CLOCK_SECONDS:
        return Finding(False, f"{name}: its clock is {off:+.0f} s off ours; set both by NTP")
    return _tables(name, service, row["version"])


def _tables(name: str, service: Service, has: str | None) -> Finding:
    fault = fault_of(service.package, has)
    if has is None or fault:
        return Finding(False, f"{name}: {fault}")
    newer = ", newer than this code, which may stay" if is_newer(service.package, has) else ""
    return Finding(True, f"{name} answers, tables of version {has}{newer}")


async def _api(site: Site, service: Service) -> Finding:
    name = f"{service.name}: API"
    try:
        url = site.api(service.name)
        async with httpx.AsyncClient(timeout=_ANSWER_WITHIN, trust_env=False) as client:
            answer = await client.get(f"{url}/v1/")
    except NotFound as error:
        return Finding(False, f"{name}: {error}")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        setting = variable(API, service)
        return Finding(False, f"{name} does not answer: {type(error).__name__}; see {setting}")
    return Finding(answer.status_code < httpx.codes.INTERNAL_SERVER_ERROR, f"{name} answers")


async def _kafka(settings: KafkaSettings | None) -> AsyncIterator[Finding]:
    if settings is None:
        yield Finding(False, "Kafka: it is not known where it is; set HANDOFF_KAFKA_BOOTSTRAP")
        return
    where = f"Kafka at {settings.kafka_bootstrap}"
    try:
        faults = await topics.check(settings)
    except (KafkaError, OSError) as error:
        users = "HANDOFF_KAFKA_BOOTSTRAP, HANDOFF_KAFKA_CA and HANDOFF_KAFKA_USER"
        yield Finding(False, f"{where} does not answer: {_why(error)}; see {users}")
        return
    yield Finding(True, f"{where} answers")
    for fault in faults:
        yield Finding(False, f"topic {fault}")
    if not faults:
        yield Finding(True, "topics are as the catalogue has them")
    yield await _makes_topics(settings)


async def _makes_topics(settings: KafkaSettings) -> Finding:
    try:
        by_itself = await topics.makes_topics_by_itself(settings)
    except (KafkaError, OSError):
        return Finding(True, "whether brokers make topics by themselves: this user may not know")
    if by_itself:
        text = "brokers make topics by themselves; set auto.create.topics.enable=false on them"
        return Finding(False, text)
    return Finding(True, "brokers make no topics by themselves")


def _why(error: BaseException) -> str:
    return str(error).strip() or type(error).__name__
