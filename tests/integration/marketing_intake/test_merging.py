"""Two leads are one person: merged by request, and whatever leads to the one leads to the other."""

import asyncio
import random
from typing import Any
from uuid import UUID

import httpx
import pytest
from tests.integration.marketing_intake.conftest import WAIT, Intake
from tests.stack.keys import bearer, make_key

from shared.ids import new_id

SEEDS = [7, 19]


async def merge(intake: Intake, lead_id: str, into: str, key: str | None = None) -> httpx.Response:
    headers = {"Idempotency-Key": key} if key else {}
    return await intake.http.post(
        f"/v1/leads/{lead_id}/merge", json={"into": into}, headers=headers
    )


async def said_of(intake: Intake, lead_id: str) -> list[tuple[str, int]]:
    rows = await intake.rows(
        "SELECT type, sequence FROM outbox WHERE subject = :id AND topic = 'handoff.leads.v1'"
        " ORDER BY id",
        id=UUID(lead_id),
    )
    return [(row.type.removesuffix(".v1"), row.sequence) for row in rows]


def address() -> str:
    return f"{new_id().hex}@merging.example.com"


class TestMerging:
    async def test_the_lead_that_stays_has_all_that_is_known_of_both(self, intake: Intake) -> None:
        old, new, phone = address(), address(), "+493055512345"
        goes = await intake.lead_of(
            email=old,
            phone=phone,
            company="ACME",
            consents=[{"purpose": "news", "granted": True}],
        )
        stays = await intake.lead_of(
            email=new,
            first_name="Ada",
            consents=[{"purpose": "news", "granted": False}],
        )

        answer = await merge(intake, goes, stays)

        assert answer.status_code == 200, answer.text
        lead = answer.json()
        assert answer.headers["ETag"] == f'"{lead["version"]}"'
        assert (lead["id"], lead["email"], lead["phone"]) == (stays, new, phone)
        assert (lead["company"], lead["first_name"]) == ("ACME", "Ada")
        assert (lead["touchpoint_count"], lead["merged_leads"]) == (2, [goes])
        assert [consent["granted"] for consent in lead["consents"]] == [False]
        assert lead["version"] == 2

    async def test_it_is_said_on_both_streams_in_one_commit(self, intake: Intake) -> None:
        goes, stays = [await intake.lead_of(email=address()) for _ in range(2)]

        await merge(intake, goes, stays)

        for lead_id in (goes, stays):
            assert await said_of(intake, lead_id) == [("lead.captured", 1), ("lead.merged", 2)]

    async def test_the_old_id_leads_to_the_lead_that_stays(self, intake: Intake) -> None:
        goes, stays = [await intake.lead_of(email=address()) for _ in range(2)]
        await merge(intake, goes, stays)

        assert (await intake.show(f"/v1/leads/{goes}"))["id"] == stays
        view = {"lead_id": goes, "source_id": intake.source_id, "kind": "page_view"}
        seen = await intake.http.post("/v1/touchpoints", json=view)
        consent = await intake.http.post(
            f"/v1/leads/{goes}/consents", json={"purpose": "sms", "granted": True}
        )
        listed = await intake.show(f"/v1/leads/{goes}/touchpoints")

        assert (seen.status_code, seen.json()["lead_id"]) == (201, stays)
        assert consent.status_code == 201
        assert len(listed["items"]) == 3

    async def test_the_list_shows_the_person_once_under_either_address(
        self, intake: Intake
    ) -> None:
        old, new = address(), address()
        goes, stays = [await intake.lead_of(email=each) for each in (old, new)]
        await merge(intake, goes, stays)

        for each in (old, new):
            found = await intake.show(f"/v1/leads?email={each}")
            assert [lead["id"] for lead in found["items"]] == [stays]

    async def test_who_comes_again_by_the_old_address_is_the_lead_that_stays(
        self, intake: Intake
    ) -> None:
        old, phone = address(), "+493055598765"
        goes = await intake.lead_of(email=old, phone=phone)
        stays = await intake.lead_of(phone="+493055598764")
        await merge(intake, goes, stays)

        again = await intake.post(WAIT, email=old, message="It is me again")

        assert (again.json()["outcome"], again.json()["lead_id"]) == ("updated", stays)

    async def test_submissions_of_before_tell_of_the_lead_that_stays(self, intake: Intake) -> None:
        old = address()
        answer = await intake.post(WAIT, email=old)
        goes, stays = answer.json()["lead_id"], await intake.lead_of(email=address())
        await merge(intake, goes, stays)

        submission = await intake.show(f"/v1/submissions/{answer.json()['receipt_id']}")

        assert submission["lead_id"] == stays

    async def test_the_suggestion_that_led_to_it_is_done_and_others_go_over(
        self, intake: Intake
    ) -> None:
        phone = "+493055511111"
        first, second = [await intake.lead_of(email=address(), phone=phone) for _ in range(2)]
        third = await intake.lead_of(phone=phone)

        lead = (await merge(intake, third, first)).json()

        assert lead["suggested_duplicates"] == [second]
        other = await intake.show(f"/v1/leads/{second}")
        assert other["suggested_duplicates"] == [first]

    async def test_a_chain_needs_one_step_only(self, intake: Intake) -> None:
        a, b, c = [await intake.lead_of(email=address()) for _ in range(3)]
        await merge(intake, a, b)
        await merge(intake, b, c)

        assert (await intake.show(f"/v1/leads/{a}"))["id"] == c
        rows = await intake.rows(
            "SELECT DISTINCT alias_of FROM subject WHERE id IN (:a, :b)", a=UUID(a), b=UUID(b)
        )
        assert [str(row.alias_of) for row in rows] == [c]
        assert set((await intake.show(f"/v1/leads/{c}"))["merged_leads"]) == {a, b}

    async def test_erasure_of_a_merged_lead_is_said_by_all_its_names(self, intake: Intake) -> None:
        old, new = address(), address()
        goes, stays = [await intake.lead_of(email=each) for each in (old, new)]
        await merge(intake, goes, stays)

        answer = await intake.http.delete(f"/v1/leads/{goes}")

        assert answer.status_code == 204
        for lead_id in (goes, stays):
            assert (await said_of(intake, lead_id))[-1] == ("lead.erased", 3)
            assert (await intake.http.get(f"/v1/leads/{lead_id}")).status_code == 404
        rows = await intake.rows(
            "SELECT count(*) AS held FROM subject WHERE id IN (:a, :b) AND erased_at IS NOT NULL",
            a=UUID(goes),
            b=UUID(stays),
        )
        assert rows[0].held == 2
        for each in (old, new):
            assert (await intake.post(WAIT, email=each)).json()["outcome"] == "created"


class TestAsking:
    async def test_the_same_again_changes_nothing_more(self, intake: Intake) -> None:
        goes, stays = [await intake.lead_of(email=address()) for _ in range(2)]
        key = str(new_id())

        answers = [await merge(intake, goes, stays, key) for _ in range(2)]
        answers.append(await merge(intake, goes, stays))

        assert [answer.status_code for answer in answers] == [200] * 3
        assert len({answer.text for answer in answers}) == 1
        assert len(await said_of(intake, goes)) == 2

    async def test_a_target_that_was_merged_itself_is_followed(self, intake: Intake) -> None:
        a, b, c = [await intake.lead_of(email=address()) for _ in range(3)]
        await merge(intake, b, c)

        assert (await merge(intake, a, b)).json()["id"] == c

    @pytest.mark.parametrize(
        ("what", "status", "problem"),
        [
            ("itself", 409, "merged-into-itself"),
            ("its own alias", 409, "merged-into-itself"),
            ("merged elsewhere", 409, "lead-already-merged"),
            ("into a stranger", 404, "lead-not-found"),
            ("a stranger", 404, "lead-not-found"),
            ("into who is erased", 409, "lead-is-erased"),
            ("who is erased", 409, "lead-is-erased"),
        ],
    )
    async def test_what_cannot_be_merged_is_refused_and_nothing_is_changed(
        self, what: str, status: int, problem: str, intake: Intake
    ) -> None:
        one, other, third = [await intake.lead_of(email=address()) for _ in range(3)]
        stranger = str(new_id())
        pairs: dict[str, tuple[str, str]] = {
            "itself": (one, one),
            "its own alias": (one, third),
            "merged elsewhere": (third, other),
            "into a stranger": (one, stranger),
            "a stranger": (stranger, one),
            "into who is erased": (one, other),
            "who is erased": (other, one),
        }
        if what in {"its own alias", "merged elsewhere"}:
            await merge(intake, third, one)
        if "erased" in what:
            await intake.http.delete(f"/v1/leads/{other}")
        before = await said_of(intake, one)

        answer = await merge(intake, *pairs[what])

        assert answer.status_code == status
        assert answer.json()["type"].rpartition(":")[2] == problem
        assert await said_of(intake, one) == before
        known = await intake.rows("SELECT 1 FROM subject WHERE id = :id", id=UUID(stranger))
        assert known == []

    @pytest.mark.parametrize("body", [{}, {"into": "somebody"}, {"into": None}, {"to": "x"}])
    async def test_a_wrong_field_is_named(self, intake: Intake, body: dict[str, Any]) -> None:
        answer = await intake.http.post(f"/v1/leads/{new_id()}/merge", json=body)

        assert answer.status_code == 422
        assert "#/into" in [error["pointer"] for error in answer.json()["errors"]]

    async def test_it_needs_a_key_with_the_scope_to_write(self, intake: Intake) -> None:
        reader = await make_key(intake.engine, "leads:read")
        path, body = f"/v1/leads/{new_id()}/merge", {"into": str(new_id())}

        answers = [
            await intake.anybody.post(path, json=body, headers=headers)
            for headers in ({}, bearer(reader))
        ]

        assert [answer.status_code for answer in answers] == [401, 403]

    async def test_two_at_once_that_would_swallow_each_other_leave_one(
        self, intake: Intake
    ) -> None:
        one, other = [await intake.lead_of(email=address()) for _ in range(2)]

        answers = await asyncio.gather(merge(intake, one, other), merge(intake, other, one))

        assert sorted(answer.status_code for answer in answers) == [200, 409]
        shown = {(await intake.show(f"/v1/leads/{each}"))["id"] for each in (one, other)}
        assert len(shown) == 1


class TestByOracle:
    @pytest.mark.parametrize("seed", SEEDS)
    async def test_submissions_in_flight_reach_whom_their_address_leads_to(
        self, seed: int, intake: Intake
    ) -> None:
        print(f"seed {seed}")  # noqa: T201
        chance = random.Random(seed)
        addresses = [address() for _ in range(8)]
        leads = {each: await intake.lead_of(email=each) for each in addresses}
        posted = dict.fromkeys(addresses, 1)

        async def submit(email: str) -> None:
            posted[email] += 1
            await intake.lead_of(email=email, message=str(posted[email]))

        merged: dict[str, str] = {}  # by the first merge: later ones find it done

        async def unite(one: str, other: str) -> None:
            answer = await merge(intake, leads[one], leads[other])
            if answer.status_code == 200:
                merged.setdefault(one, other)

        for _ in range(12):
            acts = [submit(chance.choice(addresses)) for _ in range(4)]
            acts.append(unite(*chance.sample(addresses, 2)))
            await asyncio.gather(*acts)

        for last, group in _persons(addresses, merged).items():
            lead = await intake.show(f"/v1/leads/{leads[last]}")
            assert lead["id"] == leads[last]
            assert lead["touchpoint_count"] == sum(posted[each] for each in group)
            for each in group:
                (found,) = (await intake.show(f"/v1/leads?email={each}"))["items"]
                assert found["id"] == leads[last]
                of_stream = await said_of(intake, leads[each])
                assert [number for _, number in of_stream] == [*range(1, len(of_stream) + 1)]


def _persons(addresses: list[str], merged: dict[str, str]) -> dict[str, list[str]]:
    """Return each address that still has a lead of its own, with all that lead there."""
    persons: dict[str, list[str]] = {}
    for each in addresses:
        last = each
        while last in merged:
            last = merged[last]
        persons.setdefault(last, []).append(each)
    return persons
