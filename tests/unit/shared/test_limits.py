"""The inner one of two time limits gives up first, for an API, a worker and a migration."""

import pytest

from shared import limits
from shared.limits import DatabaseLimits

ROLES = {"api": limits.API, "worker": limits.WORKER, "migration": limits.MIGRATION}


def test_a_process_ends_by_itself_before_its_pod_is_killed() -> None:
    assert limits.POD_GRACE > limits.LAST_RESORT > limits.STOP + limits.CANCELLED


def test_a_request_that_waits_for_its_turn_when_its_api_is_stopped_is_still_answered() -> None:
    assert limits.GRACEFUL_STOP > limits.UNREAD + limits.HANDLER


def test_a_consumer_commits_its_offsets_and_leaves_its_group_when_its_worker_is_stopped() -> None:
    assert limits.STOP > limits.GRACEFUL_STOP > limits.KAFKA_COMMIT + limits.KAFKA_STOP


def test_a_handler_hears_from_its_driver_why_the_database_gave_no_answer() -> None:
    before = max(limits.POOL_ACQUIRE, limits.CONNECT)

    assert before + limits.API.driver < limits.HANDLER


@pytest.mark.parametrize("role", ROLES.values(), ids=ROLES)
def test_postgres_says_why_before_the_driver_gives_up_and_names_the_lock_first(
    role: DatabaseLimits,
) -> None:
    assert role.driver > role.statement > role.lock


@pytest.mark.parametrize("role", ROLES.values(), ids=ROLES)
def test_a_statement_whose_client_is_gone_ends_before_its_time(role: DatabaseLimits) -> None:
    assert role.statement > limits.CLIENT_CONNECTION_CHECK


def test_an_index_that_is_made_beside_traffic_has_all_of_its_time() -> None:
    assert limits.MIGRATION.driver > limits.INDEX > limits.MIGRATION.statement


def test_who_queues_behind_a_migration_gets_the_lock_when_that_gives_way() -> None:
    assert limits.API.lock > limits.MIGRATION.lock
    assert limits.WORKER.lock > limits.MIGRATION.lock


def test_a_migration_is_tried_again_before_it_gives_up() -> None:
    assert limits.MIGRATION.lock < limits.MIGRATION_GIVES_UP
