"""A rollout and a drain while requests come in: none fails, and nothing is lost."""

import asyncio
import json

import pytest
from tests.deploy.apiserver.cluster import NAMESPACE
from tests.deploy.node.installed import Installed
from tests.deploy.node.load import ASKED, Load, under_load

pytestmark = pytest.mark.timeout(1200)
_LEAST = 20
_REFUSED = "violate the pod's disruption budget"
_EVICTED_WITHIN = 180.0


async def test_a_rolling_restart_of_all_processes_fails_no_request(installed: Installed) -> None:
    before = _apis(installed)
    async with under_load(installed) as load:
        processes = "app.kubernetes.io/component in (api, worker)"
        await asyncio.to_thread(
            installed.do, "rollout", "restart", "deployment,statefulset", "--selector", processes
        )
        left = await asyncio.to_thread(installed.left_undone)
        await asyncio.to_thread(installed.wait_until_gone, before)

    assert left == []
    assert set(before) & set(_apis(installed)) == set()
    _went_well(load, installed)


async def test_a_drain_takes_one_api_at_a_time_and_fails_no_request(installed: Installed) -> None:
    apis = [f"deployment/{service}-api" for service in ASKED]
    installed.do("scale", *apis, "--replicas=2")
    assert installed.left_undone() == []
    before = _apis(installed)

    async with under_load(installed) as load:
        refusals = [await _drain(installed, service) for service in ASKED]
        left = await asyncio.to_thread(installed.left_undone)
        await asyncio.to_thread(installed.wait_until_gone, before)

    assert left == []
    assert min(refusals) > 0
    _went_well(load, installed)


async def _drain(installed: Installed, service: str) -> int:
    """Evict all pods of a service that are there now; return how often a budget held one back."""
    refusals = 0
    for component in ("api", "worker"):
        for pod in installed.pods(service, component):
            async with asyncio.timeout(_EVICTED_WITHIN):
                while not await asyncio.to_thread(_evict, installed, pod):
                    refusals += 1
                    await asyncio.sleep(1)
    return refusals


def _evict(installed: Installed, pod: str) -> bool:
    """Ask for a pod to go, as a drain does; False: its budget does not let it yet."""
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction",
                "metadata": {"name": pod, "namespace": NAMESPACE}}  # fmt: skip
    place = f"/api/v1/namespaces/{NAMESPACE}/pods/{pod}/eviction"
    done = installed.cluster.ask(
        "create", f"--raw={place}", "--filename=-", told=json.dumps(eviction)
    )
    assert done.returncode == 0 or _REFUSED in done.stderr, done.stderr
    return done.returncode == 0


def _apis(installed: Installed) -> list[str]:
    return [name for service in ASKED for name in installed.pods(service, "api")]


def _went_well(load: Load, installed: Installed) -> None:
    report = json.loads(installed.handoff("audit", "--kafka", "--wait", "60", "--json"))

    assert load.all_failures() == {}
    assert min(load.answered[service] for service in ASKED) > _LEAST
    assert len(load.leads.receipts) == len(load.leads.sent) > _LEAST
    assert (report["balanced"], report["missing"], report["violations"]) == (True, 0, [])
