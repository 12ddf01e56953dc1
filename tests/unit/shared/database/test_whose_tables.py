"""By one table of its own each service's database is known, so no other may come to have it."""

from importlib import import_module

from shared.database.server import OF_ITS_OWN


def test_a_table_by_which_a_database_is_known_is_of_one_service_alone() -> None:
    known = {
        package: set(import_module(f"{package}.adapters.tables").metadata.tables)
        for package in OF_ITS_OWN
    }

    assert {table: [p for p in known if table in known[p]] for table in OF_ITS_OWN.values()} == {
        table: [package] for package, table in OF_ITS_OWN.items()
    }
