"""Who takes how much of the processors: by the kernel's own counts, for trees of processes.

A tree's count holds its ended children too, so it only ever rises.
"""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass

import psutil


@dataclass(frozen=True, slots=True)
class Look:
    """What was taken since the machine started, in seconds of one core."""

    at: float
    busy: float
    stolen: float
    ours: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Shares:
    """What was taken between two looks: in cores; what is ours in seconds."""

    seconds: float
    busy: float
    stolen: float
    ours: Mapping[str, float]

    @property
    def foreign(self) -> float:
        """Cores that neither we nor what we started took."""
        return max(0.0, self.busy - sum(self.ours.values()) / self.seconds)


def look(trees: Mapping[str, int], now: float) -> Look:
    """Read the counts of the machine, of these trees by their roots, and of this process."""
    ours = {name: of_tree(pid) for name, pid in trees.items()}
    own = psutil.Process().cpu_times()
    return Look(
        at=now,
        busy=busy(),
        stolen=getattr(psutil.cpu_times(), "steal", 0.0),
        ours=ours | {"client": own.user + own.system},
    )


def busy() -> float:
    """Return the seconds of a core that the machine's processes took since its start."""
    of_all = psutil.cpu_times()
    return of_all.user + getattr(of_all, "nice", 0.0) + of_all.system


def between(before: Look, after: Look) -> Shares:
    """Return what was taken from one look to the next."""
    seconds = max(after.at - before.at, 1e-6)
    return Shares(
        seconds=seconds,
        busy=(after.busy - before.busy) / seconds,
        stolen=(after.stolen - before.stolen) / seconds,
        ours={name: spent - before.ours.get(name, 0.0) for name, spent in after.ours.items()},
    )


def of_tree(root: int) -> float:
    """Return the seconds that a process took, and all its children, those that ended too."""
    total = 0.0
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(root)
        for each in (process, *process.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                times = each.cpu_times()
                total += times.user + times.system
                total += getattr(times, "children_user", 0.0)
                total += getattr(times, "children_system", 0.0)
    return total


def resident(root: int) -> int:
    """Return the bytes that a process and its living children have in memory."""
    process = psutil.Process(root)
    return sum(each.memory_info().rss for each in (process, *process.children(recursive=True)))
