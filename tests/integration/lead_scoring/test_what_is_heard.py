"""From an event on Kafka to a score in Postgres and what is said of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from tests.integration.lead_scoring.conftest import World, a_card, a_touchpoint
from tests.stack.topics import read_back
from tests.stack.waiting import until

from shared.clock import utc_now
from shared.contracts.catalogue import topic_of
from shared.contracts.deal import DealLost, DealRecycled, DealWon, Money
from shared.contracts.envelope import Envelope
from shared.contracts.lead import (
    Consent,
    ConsentChanged,
    LeadCaptured,
    LeadCard,
    LeadErased,
    LeadUpdated,
    Touchpoint,
    TouchpointRecorded,
)
from shared.contracts.score import LeadQualified
from shared.ids import new_id

QUALIFIED, SCORED, DISQUALIFIED = "lead.qualified.v1", "lead.scored.v1", "lead.disqualified.v1"
SCORES = topic_of(LeadQualified)
REFUSED = (Consent(purpose="email", granted=False, occurred_at=utc_now()),)


@pytest.fixture
def lead() -> UUID:
    return new_id()


def captured(
    lead: UUID, card: LeadCard | None = None, touchpoint: Touchpoint | None = None
) -> LeadCaptured:
    return LeadCaptured(
        lead_id=lead,
        lead_version=1,
        lead=card or a_card(),
        touchpoint=touchpoint or a_touchpoint(),
    )


def came_again(lead: UUID, *, at: datetime | None = None, version: int = 2) -> LeadUpdated:
    touchpoint = a_touchpoint(at)
    return LeadUpdated(lead_id=lead, lead_version=version, lead=a_card(), touchpoint=touchpoint)


def ended(lead: UUID, how: type[DealRecycled] | type[DealLost], at: datetime) -> Any:
    ids = {"lead_id": lead, "lead_version": 1, "deal_id": new_id(), "owner_id": new_id()}
    return how(**ids, occurred_at=at, reason="not now", stage="demo")


async def score_of(api: httpx.AsyncClient, lead: UUID) -> dict[str, Any]:
    answer = await api.get(f"/v1/scores/{lead}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_captured_lead_that_is_good_enough_qualifies(
    world: World, api: httpx.AsyncClient, lead: UUID
) -> None:
    (envelope,) = await world.say(captured(lead))
    shown = await score_of(api, lead)
    ((kind, said),) = await world.said(lead)

    assert kind == QUALIFIED
    assert (said["lead"]["email"], said["score"]["score"]) == ("ada@acme.example", 75)
    assert (shown["score"], shown["grade"]) == (75, "A3")
    assert shown["qualification"]["state"] == "qualified"
    assert shown["scorecard"]["version"] == 1
    assert shown["entries"] == said["score"]["entries"]
    assert {entry["event_id"] for entry in shown["entries"]} == {str(envelope.event_id)}


async def test_what_is_said_reaches_kafka_with_its_cause(world: World, lead: UUID) -> None:
    (envelope,) = await world.say(captured(lead))

    async def on_kafka() -> list[Envelope]:
        streams = await read_back(world.feeder.settings, [SCORES])
        return streams[SCORES, lead].envelopes

    await until(on_kafka)
    (qualified,) = await on_kafka()

    assert f"{qualified.kind}.v{qualified.version}" == QUALIFIED
    assert qualified.sequence == 1
    assert qualified.causation_id == envelope.event_id


async def test_entries_add_up_and_clamping_is_one_of_them(
    world: World, api: httpx.AsyncClient, lead: UUID
) -> None:
    eager = a_touchpoint(
        form_id="demo-request",
        page_url="https://x.example/pricing",
        message="Now!",
        channel="referral",
    )
    await world.say(captured(lead, touchpoint=eager))
    shown = await score_of(api, lead)

    assert shown["score"] == 100 == sum(entry["points"] for entry in shown["entries"])
    assert shown["entries"][-1]["group"] == "clamp"
    assert shown["fit"] + shown["engagement"] == 65 + 60


async def test_a_bare_address_is_scored_and_not_handed_over(
    world: World, api: httpx.AsyncClient, lead: UUID
) -> None:
    await world.say(captured(lead, LeadCard(email="ada@gmail.com")))
    shown = await score_of(api, lead)

    assert await world.kinds(lead) == [SCORED]
    assert (shown["score"], shown["grade"]) == (5, "D3")
    assert shown["qualification"] == {
        "state": "open",
        "reason": None,
        "qualified_at": None,
        "ended_at": None,
    }


async def test_visits_that_are_heard_before_the_lead_count_when_it_comes(
    world: World, api: httpx.AsyncClient, lead: UUID
) -> None:
    visit = a_touchpoint(kind="page_view", page_url="https://x.example/pricing")
    (seen,) = await world.say(TouchpointRecorded(lead_id=lead, lead_version=1, touchpoint=visit))
    early = await api.get(f"/v1/scores/{lead}"), await world.said(lead)
    await world.say(captured(lead, LeadCard(email="ada@gmail.com")))
    shown = await score_of(api, lead)

    assert (early[0].status_code, early[1]) == (404, [])
    assert [e["event_id"] for e in shown["entries"] if e["code"] == "sales_page_seen"] == [
        str(seen.event_id)
    ]


async def test_an_event_that_comes_twice_changes_nothing(
    world: World, api: httpx.AsyncClient, lead: UUID
) -> None:
    (envelope,) = await world.say(captured(lead))
    before = await score_of(api, lead)
    await world.feeder.send([envelope, replace(envelope)])
    await world.say(captured(new_id()))

    assert await score_of(api, lead) == before
    assert await world.kinds(lead) == [QUALIFIED]


@pytest.mark.parametrize("how", [DealRecycled, DealLost])
async def test_interest_after_the_end_qualifies_again_when_it_is_heard_last(
    world: World, api: httpx.AsyncClient, lead: UUID, how: type[DealRecycled]
) -> None:
    end = utc_now() - timedelta(minutes=1)
    await world.say(captured(lead, touchpoint=a_touchpoint(end - timedelta(hours=1))))
    await world.say(ended(lead, how, end))
    between = await score_of(api, lead)
    await world.say(came_again(lead, at=end + timedelta(seconds=1)))

    assert between["qualification"]["state"] == how.kind.removeprefix("deal.")
    assert await world.kinds(lead) == [QUALIFIED, QUALIFIED]


@pytest.mark.parametrize("how", [DealRecycled, DealLost])
async def test_interest_after_the_end_qualifies_again_when_the_end_is_heard_last(
    world: World, lead: UUID, how: type[DealRecycled]
) -> None:
    end = utc_now() - timedelta(minutes=1)
    await world.say(captured(lead, touchpoint=a_touchpoint(end - timedelta(hours=1))))
    await world.say(came_again(lead, at=end + timedelta(seconds=1)))
    await world.say(ended(lead, how, end))

    assert await world.kinds(lead) == [QUALIFIED, SCORED, QUALIFIED]


@pytest.mark.parametrize("end_first", [True, False])
async def test_interest_before_the_end_does_not_qualify_again(
    world: World, api: httpx.AsyncClient, lead: UUID, *, end_first: bool
) -> None:
    end = utc_now()
    await world.say(captured(lead, touchpoint=a_touchpoint(end - timedelta(hours=1))))
    late = came_again(lead, at=end - timedelta(seconds=1))
    end_of_deal = ended(lead, DealRecycled, end)
    for event in [end_of_deal, late] if end_first else [late, end_of_deal]:
        await world.say(event)
    shown = await score_of(api, lead)

    assert (await world.kinds(lead)).count(QUALIFIED) == 1
    assert shown["qualification"]["state"] == "recycled"
    assert datetime.fromisoformat(shown["qualification"]["ended_at"]) == end.astimezone(UTC)


async def test_a_customer_does_not_qualify_again(
    world: World, api: httpx.AsyncClient, lead: UUID
) -> None:
    await world.say(captured(lead))
    won = DealWon(
        lead_id=lead,
        lead_version=1,
        deal_id=new_id(),
        owner_id=new_id(),
        occurred_at=utc_now(),
        amount=Money(amount_minor=100, currency="EUR"),
    )
    await world.say(won)
    await world.say(came_again(lead))

    assert (await world.kinds(lead)).count(QUALIFIED) == 1
    assert (await score_of(api, lead))["qualification"]["state"] == "won"


async def test_withdrawn_consent_disqualifies_and_consent_that_comes_back_qualifies_again(
    world: World, api: httpx.AsyncClient, lead: UUID
) -> None:
    await world.say(captured(lead))
    refusing = a_card(consents=REFUSED)
    await world.say(ConsentChanged(lead_id=lead, lead_version=2, lead=refusing))
    between = await score_of(api, lead)
    await world.say(ConsentChanged(lead_id=lead, lead_version=3, lead=a_card()))
    said = await world.said(lead)

    assert [kind for kind, _ in said] == [QUALIFIED, DISQUALIFIED, QUALIFIED]
    assert said[1][1]["reason"] == "consent_withdrawn"
    assert between["qualification"]["state"] == "disqualified"
    assert between["qualification"]["reason"] == "consent_withdrawn"


async def test_consent_withdrawn_from_the_start_blocks_and_says_why(
    world: World, api: httpx.AsyncClient, lead: UUID
) -> None:
    await world.say(captured(lead, a_card(consents=REFUSED)))
    shown = await score_of(api, lead)

    assert await world.kinds(lead) == [SCORED]
    assert (shown["score"], shown["qualification"]["state"]) == (75, "open")
    assert shown["qualification"]["reason"] == "consent_withdrawn"


async def test_the_story_of_a_lead_says_where_it_stands_and_what_holds_it(
    world: World, lead: UUID
) -> None:
    await world.say(captured(lead, a_card(consents=REFUSED)))
    state, note = await world.row(
        "SELECT name, note FROM story WHERE subject = :lead AND kind = 'state'", lead
    )

    assert state == "score 75 A3, open"
    assert note == "qualifying is blocked: consent_withdrawn"


async def test_erasing_leaves_nothing_of_the_person_and_no_later_event_brings_it_back(
    world: World, api: httpx.AsyncClient, lead: UUID
) -> None:
    await world.say(captured(lead))
    await world.say(LeadErased(lead_id=lead, lead_version=2, erased_at=utc_now()))
    await world.say(came_again(lead, version=3), ended(lead, DealLost, utc_now()))
    (rows,) = await world.row(
        "SELECT (SELECT count(*) FROM lead_score WHERE lead_id = :lead)"
        " + (SELECT count(*) FROM touchpoint WHERE lead_id = :lead)"
        " + (SELECT count(*) FROM outbox_archive"
        "    WHERE subject = :lead AND position('acme' IN convert_from(payload, 'UTF8')) > 0)",
        lead,
    )

    assert rows == 0
    assert (await api.get(f"/v1/scores/{lead}")).status_code == 404


async def test_many_leads_in_one_go_are_all_scored(world: World, api: httpx.AsyncClient) -> None:
    leads = [new_id() for _ in range(200)]
    envelopes = [world.feeder.next(captured(lead)) for lead in leads]
    envelopes += [world.feeder.next(came_again(lead)) for lead in leads]
    await world.feeder.send(envelopes)
    await world.heard()
    kinds = [await world.kinds(lead) for lead in leads]

    assert kinds == [[QUALIFIED, SCORED]] * 200
    assert (await score_of(api, leads[-1]))["score"] == 80
