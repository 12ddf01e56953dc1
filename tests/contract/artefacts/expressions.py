"""Which metrics an expression of PromQL asks for."""

import re

_QUOTED = re.compile(r'"[^"]*"')
_OURS = re.compile(r"\b(?:handoff_[a-z_]+|handoff:[a-z0-9_:]+|process_[a-z_]+|python_[a-z_]+)\b")


def metrics_in(expression: str) -> set[str]:
    """Return the names of metrics and recorded series; values of labels are none."""
    return set(_OURS.findall(_QUOTED.sub('""', expression)))
