"""The checks see: each planted fault is caught, by the check that is meant for it."""

import pytest
from tests.deploy.checks.every import CHECKS, complaints
from tests.deploy.faults import OF_THE_TRIAL, OUR_OWN, Fault
from tests.deploy.rendering import WITH_COMPONENTS, objects_of

WHOLE = next(each for each in WITH_COMPONENTS if each.name == "production, all")
BY_NAME = {check.__name__: check for check in CHECKS}


@pytest.mark.parametrize("fault", [*OF_THE_TRIAL, *OUR_OWN], ids=str)
def test_a_planted_fault_is_caught_by_the_check_that_is_meant_for_it(fault: Fault) -> None:
    objects = objects_of(WHOLE)
    fault.plant(objects)

    assert list(BY_NAME[fault.seen_by](objects)) != []
    assert complaints(objects) != []


def test_nearly_all_faults_of_the_trial_are_planted() -> None:
    assert len({fault.name for fault in OF_THE_TRIAL}) >= 30


def test_no_check_stands_there_that_no_fault_calls_for() -> None:
    asked = {fault.seen_by for fault in (*OF_THE_TRIAL, *OUR_OWN)}

    assert sorted(set(BY_NAME) - asked) == []
