"""How the audit looks into the databases: it changes nothing, and stands in nobody's way."""

from tests.integration.handoff.conftest import Databases

from handoff.views import open_views

NOTIFIER = "notifier"


def name_of(databases: Databases, service: str) -> str:
    return databases.urls[service].rpartition("/")[2]


async def test_times_are_shown_in_utc_whatever_zone_a_database_is_in(databases: Databases) -> None:
    owner, name = databases.owners[NOTIFIER], name_of(databases, NOTIFIER)
    await owner.execute(f"ALTER DATABASE \"{name}\" SET timezone = 'Pacific/Kiritimati'")
    async with open_views(databases.site) as views:
        zones = [await view.fetchval("SHOW timezone") for view in views.values()]
    await owner.execute(f'ALTER DATABASE "{name}" RESET timezone')

    assert set(zones) == {"UTC"}
