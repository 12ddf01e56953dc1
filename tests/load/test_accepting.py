"""The speed of the accepting door, as a ratio to a no-op in the same run."""

import pytest
from tests.load.measuring import ROUNDS, SECONDS, Posting, keep, posting_to, ratio
from tests.load.product import Product

HALF_OF_FIRST = {"accept_c64": 0.24, "accept_c1": 0.10}


@pytest.mark.timeout(300)
async def test_durable_accept_is_not_far_from_a_no_op(product: Product) -> None:
    async with posting_to(product) as posting:
        medians = {
            f"accept_c{c}": keep(f"accept_c{c}", await _accepting(posting, c)) for c in (1, 64)
        }
        samples = [await posting.to_product(at_once=16, seconds=SECONDS) for _ in range(ROUNDS)]
        keep("p99_over_p50_c16", [s.quantile(0.99) / s.quantile(0.5) for s in samples])

    assert {name: m for name, m in medians.items() if m < HALF_OF_FIRST[name]} == {}


async def _accepting(posting: Posting, at_once: int) -> list[float]:
    async def accept() -> float:
        return (await posting.to_product(at_once=at_once, seconds=SECONDS)).rate

    return await ratio(accept, lambda: posting.to_floor(at_once=at_once))
