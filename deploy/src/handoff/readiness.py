"""Asks a process of ours whether it is ready, or alive at all, over its operations port."""

import ssl
from dataclasses import dataclass

import httpx
from pydantic import BaseModel, ValidationError

from shared.telemetry.heartbeat import FOR_A_PERSON

_ANSWER_WITHIN = 5.0
# Loopback only: loading the trust store for each question would be most of its cost.
_NO_TRUST_STORE = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether a process does what it is there for, and in a few words why or why not.

    `held`: all that it lacks is a person's decision, for which it has to run.
    """

    fine: bool
    text: str
    held: bool = False


class _Report(BaseModel):
    troubles: dict[str, str]


async def ask_readiness(operations_url: str) -> Readiness:
    """Ask `/readyz`."""
    try:
        answer = await _ask(f"{operations_url}/readyz")
    except httpx.HTTPError as error:
        return Readiness(False, f"does not answer ({type(error).__name__})")
    return Readiness(True, "ready") if answer.is_success else read_report(answer.text)


def read_report(body: str) -> Readiness:
    """Judge what a process says that does not call itself ready."""
    try:
        troubles = _Report.model_validate_json(body).troubles
    except ValidationError:
        return Readiness(False, body)
    text = ", ".join(f"{place}: {why}" for place, why in troubles.items())
    reasons = {why.partition(":")[0] for why in troubles.values()}  # behind it: what to do
    return Readiness(False, text, held=bool(reasons) and reasons <= FOR_A_PERSON)


async def is_alive(operations_url: str) -> bool | None:
    """Ask `/livez`; None: no answer."""
    try:
        return (await _ask(f"{operations_url}/livez")).is_success
    except httpx.HTTPError:
        return None


async def has_come_up(operations_url: str) -> bool:
    """Tell whether the process does what it is there for, or all but what waits for a person."""
    answer = await ask_readiness(operations_url)
    return answer.fine or answer.held


async def _ask(url: str) -> httpx.Response:
    async with httpx.AsyncClient(
        verify=_NO_TRUST_STORE, trust_env=False, timeout=_ANSWER_WITHIN
    ) as client:
        return await client.get(url)
