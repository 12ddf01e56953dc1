"""Mixes streams as Kafka may: each keeps its own order, between them there is none."""

import random
from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def batches(streams: Sequence[Sequence[T]], seed: int) -> Iterator[list[T]]:
    """Yield all that the streams hold in batches of 1 to 4, in an order that the seed decides.

    Some of it comes twice, as after a rebalance.
    """
    chance = random.Random(seed)
    left = [list(stream) for stream in streams if stream]
    before: list[T] = []
    while left:
        batch: list[T] = []
        for _ in range(chance.randint(1, 4)):
            if left:
                stream = chance.choice(left)
                batch.append(stream.pop(0))
                left = [each for each in left if each]
        yield [*(before if chance.random() < 0.2 else []), *batch]
        before = batch
