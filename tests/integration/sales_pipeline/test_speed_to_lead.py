"""How long somebody who asked waits until a rep takes the deal on."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from prometheus_client import REGISTRY
from tests.integration.sales_pipeline.conftest import Others, deal_of, qualified

from shared.clock import utc_now
from shared.ids import first_id_of, new_id

_WAITED = 600.0


def speed() -> tuple[float, float]:
    """Return how many deals were taken on, and the sum of what their people waited."""
    values = (REGISTRY.get_sample_value(f"handoff_speed_to_lead_seconds_{what}")
              for what in ("count", "sum"))  # fmt: skip
    count, waited = (value or 0.0 for value in values)
    return count, waited


async def deal_of_somebody_who_waited(api: httpx.AsyncClient, others: Others) -> dict[str, Any]:
    event = qualified()
    asked = first_id_of(utc_now() - timedelta(seconds=_WAITED))
    story = type(asked)(int=asked.int | new_id().int & (2**80 - 1) | 7 << 76)
    await others.repeat([others.deliver(event, correlation_id=story)])
    return await deal_of(api, event.lead_id)


@pytest.mark.parametrize("verb", ["accept", "win"])
async def test_it_is_from_the_submission_until_the_deal_is_taken_on(
    api: httpx.AsyncClient, others: Others, verb: str
) -> None:
    deal = await deal_of_somebody_who_waited(api, others)
    before = speed()
    body = {"amount_minor": 1, "currency": "EUR"} if verb == "win" else {}
    answer = await api.post(f"/v1/deals/{deal['id']}/{verb}", json=body)
    count, waited = speed()

    assert answer.status_code == 200, answer.text
    assert count - before[0] == 1
    assert waited - before[1] == pytest.approx(_WAITED, abs=5)


async def test_what_is_done_to_a_deal_after_that_does_not_count(
    api: httpx.AsyncClient, deal: dict[str, Any]
) -> None:
    await api.post(f"/v1/deals/{deal['id']}/accept")
    before = speed()
    await api.post(f"/v1/deals/{deal['id']}/accept")
    await api.post(f"/v1/deals/{deal['id']}/lose", json={"reason": "no budget"})

    assert speed() == before
