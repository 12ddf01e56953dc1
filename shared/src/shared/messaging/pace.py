"""How long a loop rests between two batches: a quarter of the time that the last one took.

What a batch costs hardly depends on its size. Without a rest, much that comes at once makes many
small batches, which cost the processors that everybody shares, and all of it comes later; with a
longer one each hop waits for nothing. The figures are in `docs/decisions/0017`.
"""

_SHARE = 0.25
_LONGEST = 0.05


def rest(took: float, *, full: bool) -> float:
    """Return for how many seconds to rest after a batch that took so many.

    `full`: it was as large as a batch may be, so the next one is there already.
    """
    return 0.0 if full else min(took * _SHARE, _LONGEST)
