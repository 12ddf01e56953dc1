"""Which metrics an expression of PromQL asks for, and which of their labels."""

import re

_QUOTED = re.compile(r'"[^"]*"')
_NAME = re.compile(r"(?<![\w:.])[a-zA-Z_:][\w:]*+(?!\s*\()")
_WORDS = {"and", "or", "unless", "bool", "offset"}
_SELECTED = re.compile(r"([a-z_:][a-z0-9_:]*)\s*\{([^}]*)\}")
_LABEL = re.compile(r"(\w+)\s*[=!]")
_GROUPED = re.compile(r"\b(?:by|on|without|ignoring|group_left|group_right)\s*\(([^)]*)\)")
_NO_METRICS = re.compile(rf"\{{[^}}]*\}}|\[[^\]]*\]|{_GROUPED.pattern}")


def metrics_in(expression: str) -> set[str]:
    """Return the names of metrics and recorded series: all that is no label, function or word."""
    return set(_NAME.findall(_NO_METRICS.sub("", _QUOTED.sub('""', expression)))) - _WORDS


def selected_in(expression: str) -> set[tuple[str, str]]:
    """Return each metric that is selected by a label, with the label."""
    found = _SELECTED.findall(_QUOTED.sub('""', expression))
    return {(name, label) for name, selector in found for label in _LABEL.findall(selector)}


def grouped_in(expression: str) -> set[str]:
    """Return the labels by which series are put together or matched."""
    lists = _GROUPED.findall(_QUOTED.sub('""', expression))
    return {label.strip() for each in lists for label in each.split(",")} - {""}
