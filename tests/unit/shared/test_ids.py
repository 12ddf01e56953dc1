"""An id that is made of a cause is the same each time, and one of the cause's time."""

from uuid import RFC_4122

from shared.ids import id_from, minted_at, new_id


def test_what_is_made_of_a_cause_has_the_same_id_each_time() -> None:
    cause = new_id()

    assert id_from(cause, "deal") == id_from(cause, "deal")


def test_several_things_made_of_one_cause_have_an_id_each() -> None:
    cause = new_id()

    assert len({id_from(cause, n) for n in range(1000)} | {cause}) == 1001


def test_such_an_id_is_of_version_7_and_sorts_as_its_cause() -> None:
    cause = new_id()
    made = id_from(cause, "task")

    assert (made.version, made.variant) == (7, RFC_4122)
    assert minted_at(made) == minted_at(cause)
