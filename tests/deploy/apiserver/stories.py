"""The sections of deploy/README.md and platform.md as people come to them, and what is so after."""

from collections.abc import Callable
from typing import NamedTuple

from tests.deploy.apiserver import below, seen
from tests.deploy.apiserver.typist import Typist

Act = Callable[[Typist], None]


def nothing(_: Typist) -> None:
    """Leave all as it is."""


class Step(NamedTuple):
    """A section that is typed, and what is seen of it.

    Attributes:
        holds: what must be so afterwards.
        given: what others would have done before.
    """

    heading: str
    holds: Act
    given: Act = nothing


BASE, PROCESSES = "2. What it stands on, and the migrations", "3. The processes"
LIFE = (
    Step("1. The place and its secrets", seen.secrets_are_there),
    Step(BASE, seen.migrations_are_done_and_nothing_runs),
    Step(PROCESSES, seen.all_is_up),
    Step("4. Who may come in, and go where", seen.every_way_has_a_namespace),
    Step(
        "Change a password",
        seen.the_password_is_another,
        given=seen.a_kafka_user_and_secrets_without_a_label,
    ),
    Step("Upgrade", seen.no_migration_is_left, given=seen.a_release_with_digests),
    Step(BASE, seen.all_is_up),
    Step(PROCESSES, seen.all_is_up_and_pinned),
    Step("One process at once", seen.one_goes_back_and_comes_again_by_force),
    Step("Roll back", seen.all_is_up_and_as_before, given=seen.the_former_release),
    Step("Uninstall", seen.nothing_is_left),
)
RESTORE = Step(
    "Restore", seen.it_was_restored_and_all_run_again, seen.production_runs_and_keda_scales_it
)
BELOW = (
    Step("What Handoff stands on", seen.all_is_up, given=below.small_runs),
    Step("Kubernetes", below.the_node_is_back),
    Step("Kafka", below.the_metadata_is_held, given=below.held),
    Step("Postgres, minor", below.all_have_the_image, given=below.another_image),
    Step("What a former release left", below.it_is_named, given=below.a_former_release),
)
MAJOR = Step("Postgres, major", below.one_is_another_major, given=below.another_major)
LOST = Step("The whole cluster is lost", below.all_is_from_what_was_saved, given=below.it_is_lost)
LAPTOP = Step("On a laptop", seen.local_is_up)
STORIES = {
    "from the first secret to the end": LIFE,
    "a database is restored": (RESTORE,),
    "what it stands on is upgraded": BELOW,
    "a Postgres becomes the next major version": (MAJOR,),
    "the whole cluster is lost": (LOST,),
    "on a laptop": (LAPTOP,),
}
