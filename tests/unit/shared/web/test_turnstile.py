"""Who has a place at the turnstile, who waits for one, and who is read next."""

import asyncio
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest
from starlette.types import Message, Receive, Scope, Send

from shared import limits
from shared.web.turnstile import PLACE, Place, Turnstile, step_aside


@dataclass(eq=False)
class Connection:
    """Takes a place with what it held, as soon as it is read."""

    turnstile: Turnstile
    read: list[str]
    name: str
    place: Place | None = None

    def read_on(self, waited: float) -> None:
        del waited
        self.read.append(self.name)
        self.place = at_work(self.turnstile)

    def turn_away(self, waited: float) -> None:
        assert waited >= 0
        self.read.append(f"not {self.name}")


@dataclass
class Asked:
    """An app that notes whether the turnstile was full while it answered."""

    aside: bool = False
    full: list[bool] = field(default_factory=list)
    turnstile: Turnstile | None = None

    async def __call__(self, _scope: Scope, _receive: Receive, _send: Send) -> None:
        if self.aside:
            step_aside()
        assert self.turnstile is not None
        self.full.append(self.turnstile.is_full)


def at_work(turnstile: Turnstile) -> Place:
    place = Place(turnstile, refused=False)
    place.begin()
    place.is_whole()
    return place


async def receive() -> Message:
    return {"type": "http.request"}


async def send(_message: Message) -> None:
    """Send nothing."""


async def ask(app: Asked, *, refused: bool = False) -> None:
    """Let one whole request through a turnstile that is full with it."""
    turnstile = app.turnstile = Turnstile(app, most=1)
    place = Place(turnstile, refused=refused)
    place.is_whole()
    await turnstile({"type": "http", PLACE: place, "method": "GET", "headers": []}, receive, send)


def test_a_request_is_work_when_it_is_whole_and_begun() -> None:
    turnstile = Turnstile(Asked(), most=1)
    place = Place(turnstile, refused=False)

    assert not turnstile.is_full
    place.begin()
    assert not turnstile.is_full
    place.is_whole()
    place.is_whole()
    assert turnstile.is_full
    place.leave()
    place.leave()
    assert not turnstile.is_full
    at_work(turnstile)
    assert turnstile.is_full


def test_a_request_that_was_answered_before_its_body_came_is_no_work() -> None:
    turnstile = Turnstile(Asked(), most=1)
    place = Place(turnstile, refused=False)
    place.begin()
    place.leave()
    place.is_whole()

    assert not turnstile.is_full


async def test_who_came_first_is_read_first_and_only_while_there_is_room() -> None:
    turnstile, read = Turnstile(Asked(), most=2), list[str]()
    first, second = at_work(turnstile), at_work(turnstile)
    waiting = [Connection(turnstile, read, name) for name in "abcd"]
    for connection in waiting:
        turnstile.queue(connection)
    turnstile.forget(waiting[1])
    first.leave()
    assert turnstile.is_full, "who comes now waits behind those who wait already"
    await asyncio.sleep(0)
    assert read == ["a"]
    second.leave()
    await asyncio.sleep(0)

    assert read == ["a", "c"]
    assert turnstile.is_full


async def test_those_who_leave_together_are_followed_together() -> None:
    turnstile, read = Turnstile(Asked(), most=2), list[str]()
    places = [at_work(turnstile), at_work(turnstile)]
    for name in "abc":
        turnstile.queue(Connection(turnstile, read, name))
    for place in places:
        place.leave()
    assert read == []
    await asyncio.sleep(0)

    assert read == ["a", "b"]


async def test_who_waits_for_too_long_is_turned_away_and_nobody_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [100.0]
    monkeypatch.setattr("shared.web.turnstile.time", SimpleNamespace(monotonic=lambda: now[0]))
    turnstile, read = Turnstile(Asked(), most=1), list[str]()
    at_work(turnstile)
    turnstile.queue(Connection(turnstile, read, "a"))
    now[0] += limits.UNREAD - 0.1
    turnstile.queue(Connection(turnstile, read, "b"))
    turning_away = asyncio.create_task(turnstile.turn_away_for_ever())
    await asyncio.sleep(0)
    assert read == []
    turning_away.cancel()
    now[0] += 0.2
    turning_away = asyncio.create_task(turnstile.turn_away_for_ever())
    await asyncio.sleep(0)
    turning_away.cancel()

    assert read == ["not a"]


async def test_a_request_has_its_place_until_it_is_answered() -> None:
    app = Asked()
    await ask(app)

    assert app.full == [True]
    assert app.turnstile is not None
    assert not app.turnstile.is_full


async def test_who_only_waits_from_now_on_gives_up_the_place() -> None:
    app = Asked(aside=True)
    await ask(app)

    assert app.full == [False]


async def test_who_is_refused_does_not_reach_the_app() -> None:
    app = Asked()
    await ask(app, refused=True)

    assert app.full == []
