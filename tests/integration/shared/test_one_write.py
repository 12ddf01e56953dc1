"""What a client sees of an answer that goes out in one write: all of it, at once, and in order."""

import socket
from collections.abc import Generator

import pytest
from tests.integration.shared.tiny_process import POST, Tiny

REQUEST = b"GET /nothing HTTP/1.1\r\nHost: tiny\r\n\r\n"
TIMES = 50


@pytest.fixture
def line(tiny: Tiny) -> Generator[socket.socket]:
    with socket.create_connection(("127.0.0.1", tiny.public_port), timeout=10) as line:
        yield line


def is_whole(answer: bytes) -> bool:
    head, _, body = answer.partition(b"\r\n\r\n")
    (length,) = (line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
    return len(body) == int(length.partition(b":")[2])


def test_an_answer_comes_in_one_piece(line: socket.socket) -> None:
    pieces = list[bytes]()
    for _ in range(TIMES):
        line.sendall(REQUEST)
        pieces.append(line.recv(65_536))

    assert all(is_whole(piece) for piece in pieces)


def test_requests_that_come_at_once_are_answered_one_after_the_other(line: socket.socket) -> None:
    line.sendall(REQUEST + REQUEST.replace(b"GET", b"HEAD") + REQUEST)
    said = b""
    while said.count(b"HTTP/1.1 404 ") < 3 or not said.endswith(b"}"):
        said += line.recv(65_536)

    assert [part.count(b'"title"') for part in said.split(b"HTTP/1.1 404 ")[1:]] == [1, 0, 1]


def test_an_answer_to_head_has_no_body_and_does_not_wait_for_one(line: socket.socket) -> None:
    for _ in range(2):  # on one connection: nothing of the first is left for the second
        line.sendall(REQUEST.replace(b"GET", b"HEAD"))
        assert line.recv(65_536).endswith(b"\r\n\r\n")


def test_who_waits_to_be_told_to_go_on_is_told_before_the_answer(line: socket.socket) -> None:
    line.sendall(POST + b"Content-Length: 2\r\nExpect: 100-continue\r\n\r\n")
    told = line.recv(65_536)
    line.sendall(b"{}")

    assert told == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert line.recv(65_536).startswith(b"HTTP/1.1 ")
