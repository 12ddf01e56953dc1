"""What people read of deploy/: its sections, what they have people type, its examples."""

import re
from typing import Any

import yaml
from tests.deploy.rendering import ROOT

README = (ROOT / "deploy" / "README.md").read_text()
PLATFORM = (ROOT / "deploy" / "platform.md").read_text()
TOLD = README + PLATFORM
_SECTION = re.compile(r"^#+ (.+)\n((?:(?!^#+ |^```).*\n|^```(?:.|\n)*?^```\n)*)", re.MULTILINE)
_CONSOLE = re.compile(r"```console\n(.*?)```", re.DOTALL)
_YAML = re.compile(r"```yaml\n(.*?)```", re.DOTALL)
_CONTINUED = re.compile(r"\\\n\s*")


def blocks() -> dict[str, list[str]]:
    """Return what people are told to type, block by block, under the headings that have some.

    What a backslash continues is one line.
    """
    whole = {heading: _CONSOLE.findall(text) for heading, text in _SECTION.findall(TOLD)}
    return {
        heading: [_CONTINUED.sub("", each) for each in found]
        for heading, found in whole.items()
        if found
    }


def commands() -> str:
    """Return all that people are told to type."""
    return "".join(block for found in blocks().values() for block in found)


def examples(text: str = README) -> list[dict[str, Any]]:
    """Return what stands in it for people's own overlay: what begins it, then patches."""
    return [yaml.safe_load(each) for each in _YAML.findall(text)]
