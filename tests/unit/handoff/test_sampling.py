"""How the benchmark takes a sample: again where others disturbed it, and honest about it."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from handoff.bench import processors, sampling
from handoff.bench.processors import Look, Shares, between
from handoff.bench.sampling import Sampler, against, rotated


@dataclass
class Shown:
    """Keeps what a watcher was told."""

    told: list[str] = field(default_factory=list)

    def doing(self, what: str) -> None:
        self.told.append(what)

    def done(self) -> None:
        self.told.append("done")


@dataclass
class Neighbours:
    """A machine on which others take so many cores, sample by sample; a sample lasts a second."""

    foreign: Iterator[float]
    at: float = 0.0
    busy: float = 0.0

    def look(self, _trees: object, _now: float) -> Look:
        seen = Look(self.at, self.busy, 0.0, {"client": 0.0})
        self.at += 1.0
        self.busy += next(self.foreign, 0.0)
        return seen


@pytest.fixture
def shown() -> Shown:
    return Shown()


@pytest.fixture
def sampler(shown: Shown, monkeypatch: pytest.MonkeyPatch) -> Sampler:
    async def nothing() -> None:
        """Settle."""

    async def quiet(_self: Sampler) -> bool:
        return True

    monkeypatch.setattr(sampling.Sampler, "quiet", quiet)
    return Sampler(dict, nothing, shown, patience=1.0)


def disturb(monkeypatch: pytest.MonkeyPatch, *foreign: float) -> None:
    """Let others take these cores while samples are taken; between them nothing."""
    seen = Neighbours(each for cores in foreign for each in (cores, 0.0))
    monkeypatch.setattr(processors, "look", seen.look)


async def take(sampler: Sampler, values: Iterator[int], *, spoilt: int = -1) -> tuple[int, int]:
    async def measure() -> int:
        return next(values)

    taken = await sampler.take("it", measure, spoilt=lambda value: value == spoilt)
    return taken.value, taken.tries


async def test_an_undisturbed_sample_is_taken_once(
    sampler: Sampler, shown: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    disturb(monkeypatch, 0.1)

    assert await take(sampler, iter(range(9))) == (0, 1)
    assert (sampler.repeats, shown.told) == (0, ["it", "done"])


async def test_a_disturbed_sample_is_taken_again(
    sampler: Sampler, monkeypatch: pytest.MonkeyPatch
) -> None:
    disturb(monkeypatch, 0.5, 0.4, 0.0)

    assert await take(sampler, iter(range(9))) == (2, 3)
    assert sampler.repeats == 2


async def test_after_four_repeats_the_least_disturbed_counts_and_is_called_disturbed(
    sampler: Sampler, monkeypatch: pytest.MonkeyPatch
) -> None:
    disturb(monkeypatch, 0.5, 0.4, 0.2, 0.3, 0.6, 0.0)

    assert await take(sampler, iter(range(9))) == (2, 3)
    assert sampler.repeats == 4


async def test_where_neighbours_never_rest_nothing_is_repeated_any_more(
    sampler: Sampler, monkeypatch: pytest.MonkeyPatch
) -> None:
    disturb(monkeypatch, *[0.5] * 16, 0.0)
    tries = [(await take(sampler, iter(range(9))))[1] for _ in range(3)]

    assert tries == [1, 1, 1]
    assert sampler.repeats == 12
    assert await take(sampler, iter([7])) == (7, 1)
    assert sampler.worst == pytest.approx(0.5)
    assert (await take(sampler, iter([8])), sampler.in_vain) == ((8, 1), 0)


async def test_a_sample_that_spoilt_itself_is_taken_again_however_quiet_it_was(
    sampler: Sampler, monkeypatch: pytest.MonkeyPatch
) -> None:
    disturb(monkeypatch, 0.0, 0.05)

    assert await take(sampler, iter([7, 8]), spoilt=7) == (8, 2)


async def test_without_patience_nothing_is_repeated(
    sampler: Sampler, monkeypatch: pytest.MonkeyPatch
) -> None:
    disturb(monkeypatch, 0.9, 0.0)
    sampler.patience = 0.0

    assert await take(sampler, iter(range(9))) == (0, 1)


def test_what_is_ours_is_not_foreign() -> None:
    before = Look(10.0, 100.0, 1.0, {"postgres": 5.0})
    after = Look(14.0, 106.0, 1.2, {"postgres": 8.0, "kafka": 2.0})
    shares = between(before, after)

    assert shares == Shares(4.0, 1.5, pytest.approx(0.05), {"postgres": 3.0, "kafka": 2.0})
    assert shares.foreign == pytest.approx(0.25)


def test_each_variant_comes_first_once() -> None:
    orders = [rotated(["a", "b", "c"], number) for number in range(3)]

    assert orders == [["a", "b", "c"], ["b", "c", "a"], ["c", "a", "b"]]


def test_a_ratio_is_to_the_mean_of_the_floors_around() -> None:
    assert against(300, 400, 600) == pytest.approx(0.6)
