"""The server as a process, over real HTTP: limits on senders, start, stop, exit codes."""

import asyncio
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

import httpx
import psutil
import pytest
from tests.integration.shared.tiny_process import (
    POST,
    PROGRAM,
    Tiny,
    answers,
    running,
    wait_until,
)

CHUNK = b"10000\r\n" + b"a" * 65_536 + b"\r\n"


async def exchange(tiny: Tiny, sent: bytes) -> tuple[float, bytes]:
    """Send bytes, and return how long the server kept the connection, and what it said."""
    reader, writer = await asyncio.open_connection("127.0.0.1", tiny.public_port)
    began = time.monotonic()
    writer.write(sent)
    await writer.drain()
    said = await asyncio.wait_for(reader.read(), 30)
    writer.close()
    return time.monotonic() - began, said


async def send_on(tiny: Tiny, sent: bytes) -> tuple[float, bytes]:
    """Send bytes, and one more a second whatever is answered; return as `exchange` does."""
    reader, writer = await asyncio.open_connection("127.0.0.1", tiny.public_port)
    began = time.monotonic()
    writer.write(sent)
    said = asyncio.create_task(reader.read())
    while not said.done():
        writer.write(b"1\r\na\r\n")
        await asyncio.sleep(1)
    writer.close()
    return time.monotonic() - began, await said


async def test_who_sends_slowly_is_cut_off(tiny: Tiny) -> None:
    silent, half_a_head, half_a_body, half_of_the_chunks, refused = await asyncio.gather(
        exchange(tiny, b""),
        exchange(tiny, b"GET / HTTP/1.1\r\nHo"),
        exchange(tiny, POST + b"Content-Length: 100\r\n\r\nabc"),
        exchange(tiny, POST + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"),
        send_on(tiny, POST + b"Transfer-Encoding: chunked\r\n\r\n" + CHUNK * 17),
    )

    for took, answer in (silent, half_a_head):
        assert 4.5 < took < 7.5
        assert answer.startswith(b"HTTP/1.1 408")
    for took, answer in (half_a_body, half_of_the_chunks):
        assert 14.5 < took < 17.5
        assert answer.startswith(b"HTTP/1.1 408")
    took, answer = refused
    assert 14.5 < took < 17.5
    assert answer.startswith(b"HTTP/1.1 413")
    assert answer.count(b"HTTP/1.1 ") == 1


async def test_who_sends_blank_lines_after_an_answer_is_cut_off(tiny: Tiny) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", tiny.public_port)
    writer.write(b"GET /nothing HTTP/1.1\r\nHost: tiny\r\n\r\n")
    await reader.readuntil(b"}")
    began = time.monotonic()
    writer.write(b"\r\n\r\n")
    async with asyncio.timeout(30):
        await reader.read()
    writer.close()

    assert 4.5 < time.monotonic() - began < 7.5


async def test_who_sends_slowly_but_in_time_is_answered(tiny: Tiny) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", tiny.public_port)
    writer.write(POST + b"Content-Length: 15\r\n\r\n")
    for letter in b'{"name":"Anna"}':
        writer.write(bytes([letter]))
        await asyncio.sleep(0.05)
    answer = await reader.readuntil(b"\r\n")
    writer.close()

    assert answer.startswith(b"HTTP/1.1 201")


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", b"400"),
        (b"GET /b\xc3\xbcg HTTP/1.1\r\nHost: a\r\n\r\n", b"400"),
        (b"nonsense\r\n\r\n", b"400"),
        (POST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nx: " + b"a" * 70_000, b"431"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nx: " + b"a" * 70_000 + b"\r\n\r\n", b"431"),
        (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", b"431"),
        (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"x: a\r\n" * 100 + b"\r\n", b"431"),
    ],
)
async def test_a_head_that_is_malformed_or_too_large_is_refused(
    tiny: Tiny, sent: bytes, status: bytes
) -> None:
    took, answer = await exchange(tiny, sent)

    assert took < 2
    assert answer.startswith(b"HTTP/1.1 " + status)
    assert answer.count(b"HTTP/1.1 ") == 1
    assert b"application/problem+json" in answer


_CHUNKED = POST + b"Transfer-Encoding: chunked\r\n"
_HEAD = b"GET /nothing HTTP/1.1\r\nHost: tiny\r\n"
_HIDDEN = b"0\r\n\r\nGET /hidden HTTP/1.1\r\nHost: tiny\r\n\r\n"


@pytest.mark.parametrize(
    "sent",
    [
        *(POST + b"Content-Length: " + said + b"\r\n\r\n" + _HIDDEN
          for said in (b"5\r\nContent-Length: 6", b"5\r\nContent-Length: 5", b"5, 6", b"+5", b"-5",
                       b"0x5", b"5a", b"", b"9" * 25, b"5\r\nTransfer-Encoding: chunked")),
        *(POST + b"Transfer-Encoding" + said + b"\r\n\r\n" + _HIDDEN
          for said in (b": chunked\r\nContent-Length: 5", b": chunked, identity", b": identity",
                       b": xchunked", b": chunked\r\nTransfer-Encoding: identity",
                       b": chunked, chunked", b" : chunked", b":\x0bchunked", b":\r\n chunked")),
        *(_CHUNKED + b"\r\n" + said + _HIDDEN
          for said in (b"0x3\r\nabc\r\n", b"-3\r\nabc\r\n", b"f" * 17 + b"\r\nabc\r\n",
                       b"3\r\nabcd\r\n", b"3\nabc\n", b"3;a\nb\r\nabc\r\n")),
        *(_HEAD + said + b"\r\n\r\n"
          for said in (b"X: a\r\n b", b"X a: b", b"X\0a: b", b"X: a\0b", b"X: a\rY: b")),
        b"GET /nothing HTTP/1.1\nHost: tiny\n\n",
        b"GET /nothing HTTP/1.1\r\n Host: tiny\r\n\r\n",
    ],
)  # fmt: skip
async def test_what_two_servers_would_read_as_two_is_refused_as_one(
    tiny: Tiny, sent: bytes
) -> None:
    took, answer = await exchange(tiny, sent)

    assert took < 2
    assert answer.startswith(b"HTTP/1.1 400")
    assert answer.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize("megabytes", [2, 30])
@pytest.mark.parametrize("chunked", [True, False])
async def test_a_body_that_is_too_large_gets_its_answer_even_while_it_comes(
    tiny: Tiny, megabytes: int, *, chunked: bool
) -> None:
    if chunked:
        body = b"Transfer-Encoding: chunked\r\n\r\n" + CHUNK * 16 * megabytes + b"0\r\n\r\n"
    else:
        size = megabytes * 1_048_576
        body = f"Content-Length: {size}\r\n\r\n".encode() + b"a" * size
    reader, writer = await asyncio.open_connection("127.0.0.1", tiny.public_port)
    began = time.monotonic()
    writer.write(POST + body)
    await writer.drain()
    answer = await reader.readuntil(b"\r\n")
    writer.close()

    assert answer.startswith(b"HTTP/1.1 413")
    assert time.monotonic() - began < 5


async def test_who_asks_before_sending_too_much_is_told_not_to(tiny: Tiny) -> None:
    head = POST + b"Expect: 100-continue\r\nContent-Length: 5000000\r\n\r\n"
    took, answer = await exchange(tiny, head)

    assert answer.startswith(b"HTTP/1.1 413")
    assert took < 1


async def test_a_connection_is_kept_for_the_next_request(tiny: Tiny) -> None:
    async with httpx.AsyncClient(base_url=tiny.public) as client:
        statuses = [
            (await client.post("/v1/leads", json={"name": "Anna"})).status_code,
            (await client.post("/v1/leads", json={"nmae": "Anna"})).status_code,
            (await client.get("/v1/bug")).status_code,
            (await client.post("/v1/leads", json={"name": "Anna"})).status_code,
        ]

    assert statuses == [201, 422, 500, 201]


async def test_a_connection_that_a_sender_left_idle_for_a_while_is_still_there(tiny: Tiny) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", tiny.public_port)
    request = POST + b'Content-Length: 15\r\n\r\n{"name":"Anna"}'
    for pause in (8, 0):  # longer than most senders keep one
        writer.write(request)
        assert (await reader.readuntil(b"}")).startswith(b"HTTP/1.1 201")
        await asyncio.sleep(pause)
    writer.close()


async def test_who_sent_too_much_keeps_the_connection_for_what_follows(tiny: Tiny) -> None:
    limits = httpx.Limits(max_connections=1)
    async with httpx.AsyncClient(base_url=tiny.public, limits=limits) as client:
        statuses: list[int] = []
        for body in (b"a" * 2_000_000, b'{"name": "Anna"}') * 5:
            answer = await client.post(
                "/v1/leads", content=body, headers={"Content-Type": "application/json"}
            )
            statuses.append(answer.status_code)

    assert statuses == [413, 201] * 5


def test_who_breaks_off_after_an_answer_is_forgotten_at_once(tiny: Tiny) -> None:
    def break_off(times: int) -> float:
        """Ask, and end each connection by a reset; return the server's memory, in megabytes."""
        for _ in range(times):
            with socket.create_connection(("127.0.0.1", tiny.public_port)) as connection:
                connection.sendall(b"GET /v1/nowhere HTTP/1.1\r\nHost: tiny\r\n\r\n")
                assert connection.recv(4096)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return psutil.Process(tiny.process.pid).memory_info().rss / 1e6

    before = break_off(300)

    assert break_off(1500) - before < 5  # of which each took 10 kB until its time was over


async def test_answers_do_not_tell_which_software_gave_them(tiny: Tiny) -> None:
    async with httpx.AsyncClient(base_url=tiny.public) as client:
        headers = (await client.get("/nothing")).headers

    assert "server" not in headers


async def test_a_database_that_is_away_is_503(tiny: Tiny) -> None:
    async with httpx.AsyncClient(base_url=tiny.public) as client:
        answer = await client.get("/v1/database")

    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "2"


def test_a_database_that_is_silent_is_503_in_time(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        with running(tmp_path, database=address) as tiny:
            wait_until(lambda: answers(tiny))
            began = time.monotonic()
            answer = httpx.get(f"{tiny.public}/v1/database", timeout=30)

    assert answer.status_code == 503
    assert time.monotonic() - began < 12


def test_a_bug_is_logged_without_what_it_says(tiny: Tiny) -> None:
    httpx.get(f"{tiny.public}/v1/bug", params={"email": "anna@example.com"})
    log = tiny.log.read_text()

    assert "ZeroDivisionError" in log
    assert "anna@example.com" not in log


def test_a_stop_lets_what_runs_end_and_is_no_failure(tmp_path: Path) -> None:
    with running(tmp_path) as tiny:
        wait_until(lambda: answers(tiny))
        with socket.create_connection(("127.0.0.1", tiny.public_port)) as connection:
            connection.sendall(b"GET /v1/slow/2 HTTP/1.1\r\nHost: tiny\r\n\r\n")
            time.sleep(0.5)
            tiny.process.send_signal(signal.SIGTERM)
            time.sleep(0.5)
            ready = httpx.get(f"{tiny.operations}/readyz")
            answer = connection.recv(65_536)
        code = tiny.process.wait(timeout=20)

    assert answer.startswith(b"HTTP/1.1 200")
    assert ready.status_code == 503
    assert ready.json()["troubles"] == {"process": "is stopping"}
    assert code == 0


def test_a_worker_has_its_operations_app_alone(tmp_path: Path) -> None:
    with running(tmp_path, "worker", "held") as tiny:
        live = httpx.get(f"{tiny.operations}/livez")
        ready = httpx.get(f"{tiny.operations}/readyz")
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{tiny.public}/nothing")
        tiny.process.send_signal(signal.SIGTERM)
        code = tiny.process.wait(timeout=20)

    assert (live.status_code, ready.status_code, code) == (200, 503, 0)


def test_a_socket_that_was_inherited_is_served(tmp_path: Path) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    with listener, running(tmp_path, inherited=listener):
        port = listener.getsockname()[1]
        answer = httpx.get(f"http://127.0.0.1:{port}/nothing")

    assert answer.status_code == 404


def test_background_work_that_ends_by_itself_ends_the_process(tmp_path: Path) -> None:
    with running(tmp_path, "ends-too-early") as tiny:
        assert tiny.process.wait(timeout=20) == 1

        assert "ended_by_itself" in tiny.log.read_text()


def test_a_port_in_use_ends_the_process_with_a_sentence(tmp_path: Path) -> None:
    with running(tmp_path) as first:
        environment = os.environ | {
            "HANDOFF_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing",
            "HANDOFF_OPERATIONS_PORT": str(first.operations_port),
        }
        second = subprocess.run(  # noqa: S603  our own program
            [sys.executable, PROGRAM], env=environment, capture_output=True, check=False
        )

    assert second.returncode == 1
    assert b"Address already in use" in second.stderr


def test_a_start_that_hangs_can_be_stopped(tmp_path: Path) -> None:
    with running(tmp_path, "hangs") as tiny:
        tiny.process.send_signal(signal.SIGTERM)

        assert tiny.process.wait(timeout=10) == 1
