"""When the app hears of a request: at once, or not before its small body is there."""

import pytest
from starlette.types import Message, Receive, Scope, Send

from shared import limits
from shared.web.small_bodies import SmallBodies

HALF: Message = {"type": "http.request", "body": b"ha", "more_body": True}
REST: Message = {"type": "http.request", "body": b"lf", "more_body": False}
GONE: Message = {"type": "http.disconnect"}


async def heard(*messages: Message, **headers: str) -> list[Message] | None:
    """Return what the app got of what came; None where it was never asked."""
    coming, got = iter(messages), list[list[Message]]()

    async def receive() -> Message:
        return next(coming)

    async def send(_: Message) -> None:
        raise AssertionError

    async def app(_scope: Scope, receive: Receive, _send: Send) -> None:
        got.append([])
        while not got[0] or got[0][-1]["type"] != "http.disconnect":
            got[0].append(await receive())

    pairs = [(name.replace("_", "-").encode(), text.encode()) for name, text in headers.items()]
    await SmallBodies(app)({"type": "http", "headers": pairs}, receive, send)
    return got[0] if got else None


async def test_a_small_body_comes_whole() -> None:
    whole = {"type": "http.request", "body": b"half", "more_body": False}

    assert await heard(HALF, REST, GONE, content_length="4") == [whole, GONE]


async def test_of_a_small_body_whose_sender_is_gone_the_app_never_hears() -> None:
    assert await heard(HALF, GONE, content_length="4") is None


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content_length": "0"},
        {"transfer_encoding": "chunked"},
        {"content_length": str(limits.SMALL_BODY_BYTES + 1)},
        {"content_length": "4", "expect": "100-continue"},
    ],
    ids=str,
)
async def test_any_other_body_is_read_by_the_app(headers: dict[str, str]) -> None:
    assert await heard(HALF, GONE, **headers) == [HALF, GONE]
