"""The benchmark's clients against a server that answers as it is told to."""

import asyncio
import itertools
import statistics
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager

import pytest

from handoff.bench.client import BadAnswers, Sample, load
from handoff.bench.leads import a_lead, numbered, of_floor, of_product
from handoff.bench.open_loop import send_steadily
from shared.ids import new_id

_GOOD = b"HTTP/1.1 202 Accepted\r\nContent-Length: %d\r\n\r\n%b"


def good(body: bytes = b"") -> bytes:
    told = body or b'{"receipt_id":"%b"}' % str(new_id()).encode()
    return _GOOD % (len(told), told)


BUSY = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 2\r\nContent-Length: 0\r\n\r\n"


@asynccontextmanager
async def answering(answers: Iterator[bytes], *, after: float = 0.0) -> AsyncGenerator[str]:
    """Answer requests in turn; an empty answer hangs up."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readuntil(b"\r\n\r\n"):
            length = int(head.lower().partition(b"content-length:")[2].split()[0])
            await reader.readexactly(length)
            await asyncio.sleep(after)
            answer = next(answers)
            if not answer:
                break
            writer.write(answer)
        writer.close()

    async def until_gone(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        except asyncio.IncompleteReadError:
            writer.close()

    server = await asyncio.start_server(until_gone, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}/leads"


async def post(url: str, *, most: int) -> Sample:
    make = numbered(url, of_floor(), {})
    return await load(url, make, at_once=2, seconds=5, most=most)


async def test_good_answers_are_counted_and_timed() -> None:
    async with answering(good() for _ in itertools.count()) as url:
        sample = (await post(url, most=20)).all_good()

    assert (sample.good, len(sample.latencies)) == (20, 20)
    assert sample.rate == pytest.approx(20 / sample.seconds)


async def test_a_503_is_no_good_answer() -> None:
    async with answering(itertools.cycle([good(), BUSY])) as url:
        sample = await post(url, most=20)

    assert (sample.good, sample.statuses[503]) == (10, 10)
    assert sample.rate == pytest.approx(10 / sample.seconds)
    with pytest.raises(BadAnswers, match="503: 10"):
        sample.all_good()


async def test_a_202_without_an_id_is_no_good_answer() -> None:
    async with answering(good(b"{}") for _ in itertools.count()) as url:
        sample = await post(url, most=4)

    with pytest.raises(BadAnswers, match="0 were good"):
        sample.all_good()


async def test_a_connection_that_ends_before_its_answer_is_told() -> None:
    async with answering(iter([good(), good(), b"", b""])) as url:
        sample = await post(url, most=20)

    assert sample.cut_off == 2
    with pytest.raises(BadAnswers, match="cut off 2"):
        sample.all_good()


async def test_the_open_loop_sends_on_time_while_answers_are_late() -> None:
    async with answering((good() for _ in itertools.count()), after=0.2) as url:
        sent = await send_steadily(url, numbered(url, of_floor(), {}), rate=200, count=30)
    planned = sorted(sent.planned.values())
    gaps = [later - earlier for earlier, later in itertools.pairwise(planned)]

    assert len(planned) == len(sent.late) == 30
    assert gaps == pytest.approx([0.005] * 29, abs=1e-4)
    assert statistics.median(sent.late) < 0.1


async def test_the_open_loop_does_not_count_what_was_refused() -> None:
    alternately = (BUSY if number % 2 else good() for number in itertools.count())
    async with answering(alternately) as url:
        with pytest.raises(BadAnswers, match="5 of 10 leads were answered 202"):
            await send_steadily(url, numbered(url, of_floor(), {}), rate=500, count=10)


def test_each_lead_is_another_person_and_all_are_as_long_as_the_floors() -> None:
    make = numbered("http://x/leads", of_product(str(new_id())), {})
    first, second = make(), make()
    bodies = [len(request.partition(b"\r\n\r\n")[2]) for request in (first, second)]
    floor = numbered("http://x/leads", of_floor(), {})()

    assert first != second
    assert bodies == pytest.approx([416, 416], abs=20)
    assert len(floor.partition(b"\r\n\r\n")[2]) == pytest.approx(416, abs=20)
    assert b"#" not in first + second + floor + a_lead(1, source_id="x")
