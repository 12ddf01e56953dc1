"""Whose time a request takes: the handler's own is bounded, its sender's is not counted to it."""

import asyncio

import pytest
from starlette.types import Message, Receive, Scope, Send

from shared.web.gate import Gate, Room
from shared.web.problems import Problem

LIMIT = 0.2
_POST: Scope = {
    "type": "http",
    "method": "POST",
    "path": "/",
    "headers": [(b"content-length", b"2")],
}


async def asked(gate: Gate, *, sender_waits: float = 0.0) -> int:
    """Return the status that a request is answered."""
    answers: list[Message] = []

    async def receive() -> Message:
        await asyncio.sleep(sender_waits)
        return {"type": "http.request", "body": b"{}", "more_body": False}

    async def send(message: Message) -> None:
        answers.append(message)

    await gate(_POST, receive, send)
    return answers[0]["status"]


async def works(before: float, receive: Receive, after: float, send: Send) -> None:
    """Work before and after the body is read, then answer."""
    await asyncio.sleep(before)
    await receive()
    await asyncio.sleep(after)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def test_what_a_handler_does_before_it_reads_the_body_counts_too() -> None:
    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        await works(LIMIT * 0.7, receive, LIMIT * 0.7, send)

    assert await asked(Gate(app, handler_seconds=LIMIT)) == 503


async def test_waiting_for_a_slow_sender_is_not_the_handlers_time() -> None:
    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        await works(0, receive, 0, send)

    assert await asked(Gate(app, handler_seconds=LIMIT), sender_waits=LIMIT * 2) == 200


def test_a_body_for_which_there_is_no_room_takes_none_from_the_others() -> None:
    room = Room(left=100)
    room.take(80)
    with pytest.raises(Problem) as refused:
        room.take(21)
    room.take(20)

    assert refused.value.status_code == 503
