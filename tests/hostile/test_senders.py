"""Every route stands senders that announce too much, never end, or are suddenly gone."""

from dataclasses import replace
from itertools import pairwise

import pytest
from tests.hostile import wire
from tests.hostile.attacks import bodies
from tests.hostile.attacks.attack import ANY, JSON, plain
from tests.hostile.conftest import TargetOf
from tests.hostile.documents import SERVICES, Operation, operations
from tests.hostile.judging import complaints

ALL = [pytest.param(operation, id=str(operation)) for operation in operations()]
WITH_BODY = [pytest.param(each, id=str(each)) for each in operations() if each.bodies]
MOST_READ = 128 * 1024 * 1024
A_LITTLE = 16 * 1024 * 1024
"""Bytes: a few bodies, or their remains."""
ONE_BODY = 1024 * 1024
"""Bytes."""
ROUNDS = 4
"""What is kept of each body adds up in every one; the allocator's own growth comes to an end."""
MUCH = 64 * 1024 * 1024
"""Bytes: one body of a megabyte, as JSON of 100,000 fields."""


@pytest.mark.parametrize("operation", ALL)
async def test_an_announced_body_of_300_mb_is_refused_before_it_comes(
    target_of: TargetOf, operation: Operation
) -> None:
    target = await target_of(operation.service)
    attack = replace(plain(operation, target.aim), what="300 MB", statuses={413})

    assert complaints(attack, await wire.announce(target, attack)) == []


@pytest.mark.parametrize("operation", WITH_BODY)
async def test_a_body_that_never_ends_is_refused_while_it_comes(
    target_of: TargetOf, operation: Operation
) -> None:
    target = await target_of(operation.service)
    attack = replace(plain(operation, target.aim), what="no end", statuses={413})

    assert complaints(attack, await wire.never_end(target, attack)) == []


@pytest.mark.parametrize("service", SERVICES)
async def test_who_sends_on_after_the_refusal_is_cut_off(target_of: TargetOf, service: str) -> None:
    target = await target_of(service)
    operation = next(each for each in operations() if each.service == service and each.bodies)
    before = target.resident()
    taken = await wire.taken_after_the_answer(target, plain(operation, target.aim), 2 * MOST_READ)

    assert taken < MOST_READ
    assert target.resident() - before < A_LITTLE


@pytest.mark.parametrize("service", SERVICES)
async def test_the_largest_bodies_take_little_memory_and_time_after_time_no_more(
    target_of: TargetOf, service: str
) -> None:
    target = await target_of(service)
    routes = [each for each in operations() if each.service == service and JSON in each.bodies]
    attacks = [attack for route in routes for attack in bodies.largest(route, target.aim)]
    before = target.resident()
    target.begin_anew()
    after: list[int] = []
    for _ in range(ROUNDS):
        for attack in attacks:
            await target.send(attack)
        after.append(target.resident())

    assert target.resident(most=True) - before < MUCH
    assert min(late - early for early, late in pairwise(after)) < ONE_BODY


@pytest.mark.parametrize("operation", ALL)
async def test_a_sender_who_is_gone_half_way_is_no_mistake_of_ours(
    target_of: TargetOf, operation: Operation
) -> None:
    target = await target_of(operation.service)
    logged, request = target.has_logged(), plain(operation, target.aim)
    await wire.hang_up(target, request)
    after = await target.send(request)

    assert complaints(replace(request, statuses=ANY), after) == []
    assert target.wrong_in_log(logged) == []
