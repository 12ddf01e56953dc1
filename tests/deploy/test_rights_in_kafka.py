"""The rights that the manifests give, on a real broker: enough for the whole walk, and no more."""

from collections.abc import AsyncGenerator, Iterator
from itertools import groupby
from typing import Any

import pytest
from tests.deploy import product
from tests.deploy.objects import Object, of_kind
from tests.deploy.rendering import PLAIN, objects_of
from tests.faults.rig.rig import SERVICES, Rig, rigged
from tests.faults.rig.waiting import until
from tests.stack.running import Stack
from tests.stack.secured import Authority, Broker, secured_kafka

from handoff.audit.reconcile import Scope, reconcile
from handoff.bench.leads import a_lead
from handoff.site import Site
from shared.contracts.catalogue import said_by
from shared.kafka import client, topics
from shared.kafka.errors import KafkaError

JSON = {"Content-Type": "application/json"}


def users() -> dict[str, Object]:
    """Return the users of the large installation."""
    (large,) = (each for each in PLAIN if each.name == "production")
    return {each["metadata"]["name"]: each for each in of_kind(objects_of(large), "KafkaUser")}


def grants(user: Object) -> Iterator[list[str]]:
    """Return the user's rights in the words of `kafka-acls`, those of one kind together."""
    acls = user["spec"]["authorization"]["acls"]

    def alike(acl: Any) -> tuple[str, list[str]]:
        return acl["resource"]["type"], sorted(acl["operations"])

    for (kind, operations), some in groupby(sorted(acls, key=alike), key=alike):
        names = ["--cluster"] if kind == "cluster" else [_named(kind, acl) for acl in some]
        yield [*(f"--operation={each}" for each in operations), *names]


def _named(kind: str, acl: Any) -> str:
    return f"--{kind}={acl['resource']['name']}"


@pytest.fixture(scope="module")
async def broker(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Broker]:
    directory = tmp_path_factory.mktemp("kafka")
    authority = Authority.made(directory / "authority")
    async with secured_kafka(directory / "node", authority, list(users())) as broker:
        for name, user in users().items():
            for rights in grants(user):
                broker.grant(name, *rights)
        yield broker


@pytest.fixture(scope="module")
async def rig(
    stack: Stack, broker: Broker, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[Rig]:
    """Every service, each as its own user."""
    logs = tmp_path_factory.mktemp("logs")
    async with rigged(stack, logs, SERVICES, kafka=broker.open) as rig:
        for package in SERVICES:
            name = package.replace("_", "-")
            await rig.start(
                package,
                kafka_bootstrap=broker.settings(name).kafka_bootstrap,
                kafka_ca=str(broker.authority.path),
                kafka_user=name,
                kafka_password=broker.passwords[name],
            )
        yield rig


async def test_each_service_can_do_its_part_of_the_walk(rig: Rig) -> None:
    sales, door = (
        await rig.start("sales_pipeline", "api"),
        await rig.start("marketing_intake", "api"),
    )
    async with await rig.client(sales) as to_sales, await rig.client(door) as to_intake:
        rep = {"name": "Ada", "email": "ada@sales.example.com"}
        assert (await to_sales.post("/v1/reps", json=rep)).status_code == 201
        wanted = {"name": "Fair", "kind": "api", "channel": "advertising"}
        source = (await to_intake.post("/v1/sources", json=wanted)).json()["id"]
        lead = a_lead(1, source_id=source)
        assert (await to_intake.post("/v1/leads", content=lead, headers=JSON)).status_code == 202

    await until(rig, "notifier", "SELECT count(*) = 1 FROM task")
    await until(rig, "sales_pipeline", "SELECT count(*) = 1 FROM heard WHERE topic LIKE '%tasks%'")


@pytest.mark.parametrize("user", [*product.NAMES, "operations"])
async def test_each_may_read_how_brokers_are_set(user: str, broker: Broker) -> None:
    assert await topics.of_brokers(broker.settings(user)) == []


async def test_operations_can_see_all_of_it(rig: Rig, broker: Broker) -> None:
    databases = {name.replace("_", "-"): url for name, url in rig.urls.items()}
    site = Site(databases, {}, broker.settings("operations"))
    report = await reconcile(site, wait=5.0, scope=Scope(topics=True))

    assert report.kafka_answered
    assert report.balanced


@pytest.mark.parametrize("user", [*product.NAMES, "operations"])
async def test_nobody_says_what_is_not_theirs(user: str, broker: Broker, rig: Rig) -> None:
    del rig  # the topics are made with it
    others = sorted(set(product.TOPIC_NAMES) - set(said_by(user)))
    producer = client.producer(broker.settings(user))
    refused = list[str]()
    try:
        await client.start(producer)
        for topic in others:
            try:
                await (await producer.send(topic, key=b"k", value=b"v", headers=[]))
            except KafkaError:
                refused.append(topic)
    except KafkaError:  # who may say nothing at all does not even get a producer's number
        refused = others
    finally:
        await client.stop(producer)

    assert refused == others
