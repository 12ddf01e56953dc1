"""Expressions of PromQL that stand in many panels."""

_WINDOW = "$__rate_interval"


def rate(metric: str, *by: str, where: str = "") -> str:
    """Return how much of something there is a second."""
    return f"sum by ({', '.join(by)}) (rate({metric}{{{where}}}[{_WINDOW}]))"


def quantile(share: float, histogram: str, *by: str, where: str = "") -> str:
    """Return the value below which a share of a histogram lies."""
    return f"histogram_quantile({share}, {rate(f'{histogram}_bucket', *by, 'le', where=where)})"


def quantiles(histogram: str, *by: str, where: str = "") -> list[tuple[str, str]]:
    """Return the median and the slowest hundredth of a histogram, and what to call them."""
    whose = "".join(f"{{{{{label}}}}} " for label in by)
    return [
        (quantile(share, histogram, *by, where=where), f"{whose}{name}")
        for share, name in ((0.5, "half within"), (0.99, "99 of 100 within"))
    ]


def share_within(seconds: str, histogram: str, window: str) -> str:
    """Return which share of a histogram's values was at most so many seconds."""
    within, all_of_it = f'{histogram}_bucket{{le="{seconds}"}}', f"{histogram}_count"
    return f"sum(increase({within}[{window}])) / sum(increase({all_of_it}[{window}]))"


def most(gauge: str, *by: str, where: str = "") -> str:
    """Return what processes show alike, once."""
    return f"max by ({', '.join(by)}) ({gauge}{{{where}}})"
