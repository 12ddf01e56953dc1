"""Looks at an installation from where it stands, a pod or a laptop: what is off, and what mends it.

It only asks. Each finding is a sentence that names the setting or the command which helps.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

import asyncpg
import httpx
from aiokafka.errors import KafkaError
from asyncpg.exceptions import InternalClientError
from pydantic import BaseModel, ValidationError

from handoff.services import SERVICES, Service
from handoff.site import API, DATABASE, NotFound, Site, variable
from handoff.views import Connection, connect
from shared import limits
from shared.database import schema, server
from shared.fitness import Fault
from shared.kafka import topics
from shared.settings import KafkaSettings

_ANSWER_WITHIN = 5.0
_VERSION = "SELECT version_num FROM alembic_version"
# The last of them is what asyncpg says of a session that was ended just before the question.
_EXPECTED = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, InternalClientError)


class _Info(BaseModel):
    title: str


class _Document(BaseModel):
    info: _Info


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of a report.

    Attributes:
        away: it may come back by itself.
        notable: it is fine, and yet whoever runs on should say it.
    """

    fine: bool
    text: str
    away: bool = False
    notable: bool = False


async def examine(site: Site) -> list[Finding]:
    """Return what is found of databases, APIs and Kafka, the services in their order."""
    databases = await asyncio.gather(*(examine_database(site, service) for service in SERVICES))
    apis = await asyncio.gather(*(_api(site, service) for service in SERVICES))
    of_databases = [finding for some in databases for finding in some]
    return [*of_databases, *apis, *await examine_kafka(site.kafka)]


async def examine_database(site: Site, service: Service) -> list[Finding]:
    """Return what is found of one service's database."""
    name, setting = f"{service.name}: database", variable(DATABASE, service)
    try:
        async with connect(site.database(service.name)) as connection:
            if another := await server.of_another(connection, service.package, setting):
                return _amiss([another])
            faults = await server.faults(connection, service.package, setting)
            return [*_amiss(faults), await _tables_of(connection, name, service)]
    except NotFound as error:
        return [Finding(False, f"{name}: {error}")]
    except _EXPECTED as error:
        return [Finding(False, f"{name} {server.why_away(error, setting)}", away=True)]


def _amiss(faults: Iterable[Fault]) -> list[Finding]:
    return [Finding(False, fault.text) for fault in faults]


async def _tables_of(connection: Connection, name: str, service: Service) -> Finding:
    try:
        return _tables(name, service, await connection.fetchval(_VERSION))
    except asyncpg.UndefinedTableError:
        return _tables(name, service, None)


def _tables(name: str, service: Service, has: str | None) -> Finding:
    package, setting = service.package, variable(DATABASE, service)
    fault = schema.fault_of(package, has, setting)
    if has is None or fault:
        return Finding(False, f"{name}: {fault}")
    if schema.is_newer(package, has):
        said = schema.said_of_newer(package, has, setting)
        return Finding(True, f"{name}: {said}", notable=True)
    return Finding(True, f"{name} answers, tables of version {has}")


async def _api(site: Site, service: Service) -> Finding:
    name, setting = f"{service.name}: API", variable(API, service)
    try:
        url = site.api(service.name)
        async with httpx.AsyncClient(timeout=_ANSWER_WITHIN, trust_env=False) as client:
            answer = await client.get(f"{url}/openapi.json")
    except NotFound as error:
        return Finding(False, f"{name}: {error}")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        text = f"{name} does not answer: {type(error).__name__}; see {setting}"
        return Finding(False, text, away=True)
    if answer.is_server_error:
        text = f"{name} answers with {answer.status_code} alone; see {setting}"
        return Finding(False, text, away=True)
    who = _named(answer)
    if who == service.name:
        return Finding(True, f"{name} answers")
    text = f"{setting} leads to {who or 'something else'}: name the API of {service.name}"
    return Finding(False, text)


def _named(answer: httpx.Response) -> str | None:
    """Return whose API it is that answered; None: it is none of ours."""
    try:
        return _Document.model_validate_json(answer.content).info.title
    except ValidationError:
        return None


async def examine_kafka(settings: KafkaSettings | None) -> list[Finding]:
    """Return what is found of brokers and topics."""
    if settings is None:
        text = "Kafka: it is not known where it is; set HANDOFF_KAFKA_BOOTSTRAP"
        return [Finding(False, text)]
    try:
        async with asyncio.timeout(limits.KAFKA_READ):
            of_topics, of_brokers = await topics.check(settings), await topics.of_brokers(settings)
    except (KafkaError, OSError) as error:
        return [Finding(False, topics.why_away(settings, error), away=True)]
    as_it_should = [] if of_topics else [Finding(True, "topics are as the catalogue has them")]
    return [
        Finding(True, f"Kafka at {settings.kafka_bootstrap} answers"),
        *_amiss(of_topics),
        *as_it_should,
        *_of_brokers(of_brokers),
    ]


def _of_brokers(faults: list[Fault]) -> list[Finding]:
    return _amiss(faults) or [Finding(True, "brokers make no topics by themselves")]
