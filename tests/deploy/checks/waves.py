"""Argo CD goes by waves, and begins one when all of the one before is well."""

from collections.abc import Iterator

from tests.deploy.objects import WORKLOADS, Object, Objects, Pod, at, title

_STANDS_ON, _JOBS, _PROCESSES = range(3)


def waves(objects: Objects) -> Iterator[str]:
    """First what processes stand on, then the Jobs, then processes and what scales them."""
    for each in objects:
        notes = at(each, "metadata.annotations") or {}
        wave, wanted = int(notes.get("argocd.argoproj.io/sync-wave", "0")), _wanted(each)
        if wave != wanted:
            yield f"{title(each)}: is in wave {wave} instead of {wanted}"


def _wanted(each: Object) -> int:
    if each["kind"] == "ScaledObject":  # not well while it scales nothing
        return _PROCESSES
    if each["kind"] not in WORKLOADS or not Pod(each).ours:
        return _STANDS_ON
    return _JOBS if each["kind"] == "Job" else _PROCESSES
