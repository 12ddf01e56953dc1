"""Runs the work of a command and turns what went wrong into one sentence and an exit code."""

import asyncio
import getpass
import os
from collections.abc import Coroutine
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
import httpx
import typer
from aiokafka.errors import KafkaError
from asyncpg.exceptions import InternalClientError

from handoff.audit.topics import NoTopics
from handoff.cli.places import this_layout
from handoff.cli.progress import err
from handoff.door import Refused
from handoff.restore import Stands
from handoff.services import SERVICES
from handoff.site import NotFound, Site, find_site
from shared.settings import WrongSetting

T = TypeVar("T")

NOT_SO, WRONG_USE = 1, 2


class NotSo(Exception):
    """The command could not do it, or what it checked is not so; the text says what and why."""


# The last of them is what asyncpg says of a session that was ended just before the question.
EXPECTED = (
    NotSo, NotFound, NoTopics, Refused, Stands, OSError, asyncpg.PostgresError,
    asyncpg.InterfaceError, KafkaError, InternalClientError,
)  # fmt: skip


def run(work: Coroutine[Any, Any, T]) -> T:
    """Return what the work returns; end the command with 1 and a sentence where it fails."""
    try:
        return asyncio.run(work)
    except httpx.HTTPError as error:
        where = error.request.url if error.request else "the service"
        raise end(f"{where} did not answer: {type(error).__name__} {error}") from None
    except EXPECTED as error:
        raise end(str(error) or type(error).__name__) from None


def this_site() -> Site:
    """Return the installation to work on; end with 1 without one, with 2 for a wrong setting."""
    try:
        return find_site(os.environ, this_layout())
    except NotFound as error:
        raise end(str(error)) from None
    except WrongSetting as wrong:
        raise end(str(wrong), WRONG_USE) from None


def read_service(name: str) -> str:
    """Return the name of a service.

    Raises:
        typer.BadParameter: there is no such service.
    """
    known = [service.name for service in SERVICES]
    if name not in known:
        raise typer.BadParameter(f"{name!r} is none of {', '.join(known)}")
    return name


def read_id(text: str) -> UUID:
    """Return an id.

    Raises:
        typer.BadParameter: the text is none.
    """
    try:
        return UUID(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not an id such as {UUID(int=0)}") from None


def whoever_asks() -> str:
    """Return the name under which this person's short-lived keys act."""
    try:
        return f"{getpass.getuser()}, by the handoff command"
    except (KeyError, OSError):
        return "the handoff command"


def end(sentence: str, code: int = NOT_SO) -> typer.Exit:
    """Say why a command ends; return what ends it."""
    err.print(sentence, markup=False)
    return typer.Exit(code)
