"""`handoff doctor` where the environment names an installation: what is off, and what mends it."""

import json
import threading
from collections.abc import Generator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from aiokafka.admin import NewTopic
from tests.integration.handoff.conftest import Handoff
from tests.integration.handoff.databases import Databases
from tests.stack.databases import drop, make_latin
from tests.stack.nodes import some_nodes
from tests.stack.running import Stack
from tests.stack.topics import drop as forget_topics

from handoff.examination import examine
from handoff.services import SERVICES
from handoff.site import Site
from shared.database import schema, server
from shared.ids import new_id
from shared.kafka import topics
from shared.kafka.admin import administrator

SERVICE = "lead-scoring"
SETTING = "HANDOFF_OPERATIONS_DATABASE_URL_LEAD_SCORING"
MIGRATE = "run `python -m lead_scoring.migrate`."


class Documents(BaseHTTPRequestHandler):
    """Answers for every service, each below its name, with its document alone; one is `busy`."""

    def do_GET(self) -> None:
        _, service, *page = self.path.split("/")
        if service == "busy":
            self.send_error(503)
            return
        if page != ["openapi.json"]:
            self.send_error(404)
            return
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"info": {"title": service}}).encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def door() -> Generator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Documents)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def site(databases: Databases, door: str) -> Site:
    return Site(databases.urls, apis_at(door), databases.kafka)


def apis_at(door: str) -> dict[str, str]:
    return {service.name: f"{door}/{service.name}" for service in SERVICES}


async def off(site: Site) -> list[str]:
    """Return what is not fine."""
    return [found.text for found in await examine(site) if not found.fine]


async def test_an_installation_with_all_in_order_is_said_to_be_so(
    databases: Databases, handoff: Handoff, door: str
) -> None:
    apis = {
        f"HANDOFF_API_URL_{service.package.upper()}": f"{door}/{service.name}"
        for service in SERVICES
    }
    said = handoff("doctor", **apis, HANDOFF_KAFKA_REPLICATION="1")

    assert said.returncode == 0, said.stdout + said.stderr
    assert "lead-scoring: database answers, tables of version" in said.stdout
    assert "topics are as the catalogue has them" in said.stdout
    assert await off(site(databases, door)) == []


async def test_one_copy_is_a_fault_unless_it_is_said_to_be_enough(handoff: Handoff) -> None:
    said = " ".join(handoff("doctor").stdout.split())

    assert "1 copies instead of 3 (HANDOFF_KAFKA_REPLICATION)" in said
    assert "min.insync.replicas is 1 instead of 2" in said


async def test_what_is_not_named_is_asked_for_by_its_variable(handoff: Handoff) -> None:
    said = handoff("doctor")

    assert said.returncode == 1
    assert "set HANDOFF_API_URL_NOTIFIER" in " ".join(said.stdout.split())


async def test_a_database_that_lets_nobody_in_is_named_with_its_variable(
    databases: Databases, door: str
) -> None:
    wrong = {**databases.urls, SERVICE: "postgresql://operations:wrong@127.0.0.1:1/lead_scoring"}
    (said,) = await off(Site(wrong, site(databases, door).apis, databases.kafka))

    assert said.startswith("lead-scoring: database does not let us in")
    assert "HANDOFF_OPERATIONS_DATABASE_URL_LEAD_SCORING" in said
    assert "wrong" not in said


async def test_an_address_that_ends_with_a_line_break_is_named_by_its_variable(
    databases: Databases, handoff: Handoff
) -> None:
    url = databases.urls[SERVICE] + "\n"
    for command, code in {"doctor": 1, "operations": 2, "audit": 2}.items():
        said = handoff(command, HANDOFF_OPERATIONS_DATABASE_URL_LEAD_SCORING=url)

        assert said.returncode == code
        assert "HANDOFF_OPERATIONS_DATABASE_URL_LEAD_SCORING: begins or ends with" in (
            said.stdout + said.stderr
        )


async def test_apis_that_were_exchanged_are_told_by_their_variables(
    databases: Databases, door: str
) -> None:
    apis = apis_at(door)
    crossed = {**apis, SERVICE: apis["notifier"], "notifier": apis[SERVICE]}

    assert await off(Site(databases.urls, crossed, databases.kafka)) == [
        "HANDOFF_API_URL_LEAD_SCORING leads to notifier: name the API of lead-scoring",
        "HANDOFF_API_URL_NOTIFIER leads to lead-scoring: name the API of notifier",
    ]


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("{door}", "HANDOFF_API_URL_NOTIFIER leads to something else: name the API of notifier"),
        (
            "{door}/busy",
            "notifier: API answers with 503 alone; see HANDOFF_API_URL_NOTIFIER",
        ),
        (
            "http://127.0.0.1:1",
            "notifier: API does not answer: ConnectError; see HANDOFF_API_URL_NOTIFIER",
        ),
    ],
    ids=["no API of ours", "busy", "away"],
)
async def test_an_api_that_is_not_there_is_told_by_its_variable(
    databases: Databases, door: str, url: str, said: str
) -> None:
    apis = {**apis_at(door), "notifier": url.format(door=door)}

    assert await off(Site(databases.urls, apis, databases.kafka)) == [said]


async def test_databases_that_were_exchanged_are_told_by_their_variables(
    databases: Databases, door: str
) -> None:
    urls = databases.urls
    crossed = {**urls, SERVICE: urls["notifier"], "notifier": urls[SERVICE]}
    found = await examine(Site(crossed, site(databases, door).apis, databases.kafka))

    prefix, leads = "HANDOFF_OPERATIONS_DATABASE_URL_", "leads to the database of"
    assert [each.text for each in found if not each.fine] == [
        f"{prefix}LEAD_SCORING {leads} notifier: name that of lead_scoring.",
        f"{prefix}NOTIFIER {leads} lead_scoring: name that of notifier.",
    ]
    assert not [each for each in found if each.text.startswith(f"{SERVICE}: database")]


def test_no_command_takes_the_database_of_another_service_for_its_own(
    databases: Databases, handoff: Handoff
) -> None:
    told = {SETTING: databases.urls["notifier"]}
    for command in (
        ("audit", "--wait", "0"),
        ("trace", str(new_id())),
        ("keys", "list", "--service", SERVICE),
        ("keys", "create", "--service", SERVICE, "--scope", "scores:read"),
        ("keys", "revoke", "none", "--service", SERVICE),
        ("restore", SERVICE, "--list"),
    ):
        said = handoff(*command, **told)

        leads = "leads to the database of notifier: name that of lead_scoring."
        assert (said.returncode, said.stdout) == (1, "")
        assert " ".join(said.stderr.split()) == f"{SETTING} {leads}"


async def test_a_database_of_western_letters_alone_is_told_with_what_to_make(
    databases: Databases, door: str, stack: Stack
) -> None:
    latin = await make_latin(stack, "lead_scoring")
    try:
        urls = {**databases.urls, SERVICE: latin}
        found = await off(Site(urls, site(databases, door).apis, databases.kafka))
    finally:
        await drop(stack, latin)

    assert len(found) == 2  # and it has no tables
    assert found[0].startswith(
        "The database of HANDOFF_OPERATIONS_DATABASE_URL_LEAD_SCORING keeps text as LATIN1"
    )
    assert "ENCODING 'UTF8'" in found[0]


@pytest.mark.parametrize(
    ("version", "said"),
    [
        (
            "0000",
            f"The tables of {SETTING} are of version 0000, this code of 0001: {MIGRATE}",
        ),
        ("9999", None),
    ],
)
async def test_older_tables_are_a_fault_and_newer_ones_are_not(
    databases: Databases,
    door: str,
    version: str,
    said: str | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known = {service.package: ["0000", "0001"] for service in SERVICES}
    monkeypatch.setattr(schema, "known_versions", known.__getitem__)
    owner = databases.owners[SERVICE]
    await owner.execute("UPDATE alembic_version SET version_num = $1", version)
    try:
        found = await off(site(databases, door))
    finally:
        await owner.execute("UPDATE alembic_version SET version_num = '0001'")

    assert found == ([f"lead-scoring: database: {said}"] if said else [])


async def test_a_clock_that_is_ten_minutes_off_is_told_with_the_cure(
    databases: Databases, door: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = server.utc_now
    monkeypatch.setattr(server, "utc_now", lambda: right() - timedelta(minutes=10))
    found = await off(site(databases, door))

    assert len(found) == len(SERVICES)
    assert all("is +600 s off ours: set both by NTP." in said for said in found)


async def test_brokers_without_topics_that_make_their_own_are_told_of(
    databases: Databases, door: str, tmp_path: Path
) -> None:
    async with some_nodes(tmp_path, 1, by_itself=True) as nodes:
        kafka = nodes.settings()
        found = await off(Site(databases.urls, site(databases, door).apis, kafka))
        await topics.apply(kafka)
        afterwards = await off(Site(databases.urls, site(databases, door).apis, kafka))

    *missing, makes = found
    assert len(missing) == len(topics.TOPICS)
    assert all("missing; run `handoff topics apply`" in said for said in missing)
    assert makes.endswith("set auto.create.topics.enable=false on them.")
    assert afterwards == [makes]


def test_topics_are_compared_where_a_file_says_that_kafka_is(
    databases: Databases, handoff: Handoff, tmp_path: Path
) -> None:
    (tmp_path / "kafka").write_text(f"{databases.kafka.kafka_bootstrap}\n")
    told = {
        "HANDOFF_KAFKA_BOOTSTRAP": None,
        "HANDOFF_KAFKA_BOOTSTRAP_FILE": str(tmp_path / "kafka"),
        "HANDOFF_KAFKA_REPLICATION": "1",
    }
    checked, examined = handoff("topics", "check", **told), handoff("doctor", **told)

    assert (checked.returncode, checked.stderr) == (0, "")
    assert f"Kafka at {databases.kafka.kafka_bootstrap} answers" in examined.stdout


def test_brokers_that_cannot_be_are_a_wrong_use(handoff: Handoff) -> None:
    for command in (("topics", "check"), ("operations",)):
        said = handoff(*command, HANDOFF_KAFKA_BOOTSTRAP="kafka")

        assert said.returncode == 2
        assert "HANDOFF_KAFKA_BOOTSTRAP: must be host:port" in said.stderr


async def test_brokers_that_are_away_are_told_with_what_to_look_at(
    databases: Databases, door: str
) -> None:
    kafka = databases.kafka.model_copy(update={"kafka_bootstrap": "127.0.0.1:1"})
    (said,) = await off(Site(databases.urls, site(databases, door).apis, kafka))

    assert said.startswith("Kafka at 127.0.0.1:1 does not answer")
    assert "HANDOFF_KAFKA_BOOTSTRAP" in said


async def test_topics_that_are_not_as_order_needs_them_are_no_success_of_making_them(
    databases: Databases, handoff: Handoff
) -> None:
    wrong = databases.kafka.model_copy(
        update={"topic_prefix": f"{databases.kafka.topic_prefix}narrow."}
    )
    name = topics.physical(wrong, "handoff.leads.v1")
    async with administrator(wrong) as admin:
        await admin.create_topics([NewTopic(name, 3, 1)])
    told = {"HANDOFF_TOPIC_PREFIX": wrong.topic_prefix, "HANDOFF_KAFKA_REPLICATION": "1"}
    try:
        made = handoff("topics", "apply", **told)
        checked = handoff("topics", "check", **told)
        examined = handoff("doctor", **told)
    finally:
        await forget_topics(wrong)

    assert (made.returncode, checked.returncode) == (1, 1)
    assert "made handoff.scores.v1" in made.stdout
    for answer in (made, checked, examined):
        assert f"Topic {name}: 3 partitions instead of 12; add some by" in answer.stdout
