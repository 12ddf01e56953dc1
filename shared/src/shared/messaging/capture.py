"""Group commit: requests that arrive together share one statement and one commit.

No timer: a lone request commits at once, and batches arise by themselves while the commit before
runs. Nobody is answered before the commit. What is written is the caller's business.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from shared import crash_points
from shared.telemetry import metrics, spans, tracing

_MOST_ROWS = 500

Row = TypeVar("Row")
Answer = TypeVar("Answer")


class Overloaded(Exception):
    """The queue is full: nothing was stored, ask again in a moment."""


class InDoubt(Exception):
    """The connection was lost while committing: ask again with the same key."""


@dataclass(slots=True)
class _Waiting(Generic[Row, Answer]):
    row: Row
    size: int
    answer: asyncio.Future[Answer]
    trace: str | None


class Flusher(Generic[Row, Answer]):
    """Takes rows from requests, writes whatever waits by one call, and answers them.

    `write` gets rows and returns an answer, or an error, for each; it commits before it returns.
    `is_bad_row` tells an error of the values from one of the infrastructure: after the former the
    batch is written again row by row, so that a neighbour never fails another.
    """

    def __init__(
        self,
        write: Callable[[Sequence[Row]], Awaitable[Sequence[Answer | Exception]]],
        *,
        is_bad_row: Callable[[Exception], bool],
        max_bytes: int,
    ) -> None:
        """Hold at most `max_bytes` of rows that wait."""
        self._write = write
        self._is_bad_row = is_bad_row
        self._max_bytes = max_bytes
        self._bytes = 0
        self._queue: deque[_Waiting[Row, Answer]] = deque()
        self._arrived = asyncio.Event()

    async def submit(self, row: Row, *, size: int) -> Answer:
        """Wait until the row is committed; return its answer.

        Raises:
            Overloaded: the queue is full; nothing was stored.
            InDoubt: it may or may not be stored.
        """
        if self._bytes + size > self._max_bytes:
            metrics.CAPTURE_REFUSED.labels(cause="full").inc()
            raise Overloaded
        began, answer = time.perf_counter(), asyncio.get_running_loop().create_future()
        waiting = _Waiting(row, size, answer, tracing.current())
        self._bytes += size
        self._queue.append(waiting)
        self._arrived.set()
        try:
            return await answer
        finally:
            metrics.CAPTURE_SECONDS.observe(time.perf_counter() - began)

    async def run(self) -> None:
        """Flush for ever; cancel to stop."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while self._queue:
                await self._flush(self._take())

    def _take(self) -> list[_Waiting[Row, Answer]]:
        count = min(_MOST_ROWS, len(self._queue))
        batch = [self._queue.popleft() for _ in range(count)]
        self._bytes -= sum(waiting.size for waiting in batch)
        metrics.CAPTURE_BATCH.observe(len(batch))
        return batch

    async def _flush(self, batch: list[_Waiting[Row, Answer]]) -> None:
        crash_points.reach("capture.before_write")
        try:
            with spans.together("store"):
                for waiting in batch:
                    spans.part(waiting.trace, "submission")
                answers = await self._write([waiting.row for waiting in batch])
        except Exception as error:  # noqa: BLE001  whatever it was, somebody waits for an answer
            await self._flush_failed(batch, error)
            return
        crash_points.reach("capture.after_commit")
        for waiting, answer in zip(batch, answers, strict=True):
            _settle(waiting, answer)

    async def _flush_failed(self, batch: list[_Waiting[Row, Answer]], error: Exception) -> None:
        if self._is_bad_row(error) and len(batch) > 1:
            for waiting in batch:
                await self._flush([waiting])
            return
        if not self._is_bad_row(error):
            metrics.CAPTURE_REFUSED.labels(cause="in_doubt").inc(len(batch))
        for waiting in batch:
            _settle(waiting, error if self._is_bad_row(error) else InDoubt(str(type(error))))


def _settle(waiting: _Waiting[Row, Answer], answer: Answer | Exception) -> None:
    if waiting.answer.done():
        return  # the client hung up; its row is stored all the same
    if isinstance(answer, Exception):
        waiting.answer.set_exception(answer)
    else:
        waiting.answer.set_result(answer)
