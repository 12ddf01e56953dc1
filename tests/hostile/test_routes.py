"""Every route of the four services refuses what is hostile: in words, at once, without an echo.

The attacks are made from the services' own documents; `tests/house` holds that none is left out.
"""

from collections.abc import Iterable
from itertools import groupby

import pytest
from tests.hostile.attacks import addresses, bodies, forms
from tests.hostile.attacks.attack import Attack, plain
from tests.hostile.conftest import TargetOf
from tests.hostile.documents import Operation, operations
from tests.hostile.judging import complaints
from tests.hostile.targets import Target

MOST_WORK = 0.5
"""Seconds of a processor that one request may cost; meanwhile nobody else is answered."""
ALL = [pytest.param(operation, id=str(operation)) for operation in operations()]
WITH_BODY = [pytest.param(each, id=str(each)) for each in operations() if each.bodies]
BY_PATH = [
    pytest.param(list(methods), id=f"{service} {path}")
    for (service, path), methods in groupby(operations(), lambda each: (each.service, each.path))
]


async def what_went_wrong(target: Target, attacks: Iterable[Attack]) -> list[str]:
    """Attack, and return what went wrong: in answers, in the log, in how long it took."""
    logged, wrong, number = target.has_logged(), list[str](), 0
    for number, attack in enumerate(attacks, start=1):  # noqa: B007  it is looked at below
        worked = target.worked()
        wrong += complaints(attack, await target.send(attack))
        if target.worked() - worked > MOST_WORK:
            wrong.append(f"{attack.what} took {target.worked() - worked:.1f} s of a processor")
    assert number > 0
    return [*wrong, *target.wrong_in_log(logged)]


@pytest.mark.parametrize("operation", WITH_BODY)
async def test_a_hostile_body_is_refused_by_the_name_of_its_field(
    target_of: TargetOf, operation: Operation
) -> None:
    target = await target_of(operation.service)
    attacks = [*bodies.attacks(operation, target.aim), *forms.attacks(operation, target.aim)]

    assert await what_went_wrong(target, attacks) == []


@pytest.mark.parametrize("operation", ALL)
async def test_a_hostile_path_query_or_head_is_refused_by_the_name_of_its_parameter(
    target_of: TargetOf, operation: Operation
) -> None:
    target = await target_of(operation.service)

    assert await what_went_wrong(target, addresses.attacks(operation, target.aim)) == []


@pytest.mark.parametrize("path", BY_PATH)
async def test_a_method_that_an_address_does_not_take_is_refused(
    target_of: TargetOf, path: list[Operation]
) -> None:
    target = await target_of(path[0].service)

    assert await what_went_wrong(target, addresses.other_methods(target.aim, path)) == []


@pytest.mark.parametrize("operation", ALL)
async def test_a_request_as_it_should_be_is_let_in(
    target_of: TargetOf, operation: Operation
) -> None:
    target = await target_of(operation.service)
    answer = await target.send(plain(operation, target.aim))

    assert answer.status not in {400, 401, 403, 405, 413, 415}, answer.text
    assert answer.status < 500, answer.text
