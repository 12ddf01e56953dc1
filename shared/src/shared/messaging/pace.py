"""How long a loop rests between two batches: as long as the last one took, within bounds.

What a batch costs hardly depends on its size. Without a rest, much that comes at once makes many
small batches, which cost the processors that everybody shares; with it batches grow instead. A lone
event meets a loop that waits for it, and no rest.
"""

_SHORTEST, _LONGEST = 0.025, 0.05


def rest(took: float) -> float:
    """Return for how many seconds to rest after a batch that took so many."""
    return min(max(took, _SHORTEST), _LONGEST)
