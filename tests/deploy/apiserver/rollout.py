"""Which workloads have not come to where they should be, by what the API server has of them."""

from collections.abc import Iterator

from tests.deploy.objects import Object, Objects, at, title

_COUNTS = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")


def unfinished(expected: set[str], there: Objects) -> Iterator[str]:
    """Give every workload that is not there, has not rolled out, or has not run to its end."""
    yield from sorted(f"{name}: is not there" for name in expected - set(map(title, there)))
    for each in there:
        why = _incomplete(each) if each["kind"] == "Job" else _unready(each)
        if why:
            yield f"{title(each)}: {why}"


def _incomplete(job: Object) -> str:
    """Say why a Job has not run to its end; nothing if it has."""
    conditions = at(job, "status.conditions") or []
    met = {each["type"]: each for each in conditions if each["status"] == "True"}
    return "" if "Complete" in met else f"is not complete: {met}"


def _unready(workload: Object) -> str:
    """Say why not all copies are new and ready; nothing if they are."""
    status, wanted = workload["status"], workload["spec"]["replicas"]
    if status.get("observedGeneration") != workload["metadata"]["generation"]:
        return "was not looked at yet"
    counts = {name: status.get(name, 0) for name in _COUNTS}
    return "" if set(counts.values()) == {wanted} else f"{counts} of {wanted}"
