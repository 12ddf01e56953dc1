"""An answer's head waits for its body, or for the end."""

import asyncio

import pytest
from typing_extensions import override

from shared.web.one_write import OneWrite


class Recorder(asyncio.Transport):
    """Keeps what is written, write by write."""

    def __init__(self) -> None:
        super().__init__()
        self.writes = list[bytes]()
        self.closed = False

    @override
    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.writes.append(bytes(data))

    @override
    def close(self) -> None:
        self.closed = True

    @override
    def is_closing(self) -> bool:
        return self.closed


@pytest.fixture
def transport() -> Recorder:
    return Recorder()


def test_the_head_goes_with_the_first_of_the_body_and_the_rest_as_it_comes(
    transport: Recorder,
) -> None:
    answer = OneWrite(transport)
    for piece in (b"head", b"first", b"second", b"third"):
        answer.write(piece)

    assert transport.writes == [b"headfirst", b"second", b"third"]


def test_an_empty_body_sends_the_head(transport: Recorder) -> None:
    answer = OneWrite(transport)
    answer.write(b"head")
    answer.write(b"")

    assert transport.writes == [b"head"]


def test_an_answer_that_breaks_off_shows_its_head_before_it_closes(transport: Recorder) -> None:
    answer = OneWrite(transport)
    answer.write(b"head")
    answer.close()

    assert (transport.writes, answer.is_closing()) == ([b"head"], True)


def test_a_whole_answer_is_not_shown_again_when_its_connection_closes(transport: Recorder) -> None:
    answer = OneWrite(transport)
    answer.write(b"head")
    answer.write(b"body")
    answer.close()

    assert transport.writes == [b"headbody"]
