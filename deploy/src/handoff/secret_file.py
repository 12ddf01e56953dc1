"""Random secrets of this installation: made once, kept in a file that only its owner can read."""

import json
import secrets
from collections.abc import Iterable
from pathlib import Path

_RANDOM_BYTES = 24


def keep_secrets(path: Path, names: Iterable[str]) -> dict[str, str]:
    """Return a secret for each name, making those that `path` does not hold yet."""
    known: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    missing = [name for name in names if name not in known]
    if missing:
        known |= {name: secrets.token_hex(_RANDOM_BYTES) for name in missing}
        write_privately(path, json.dumps(known, indent=2) + "\n")
    return known


def write_privately(path: Path, text: str) -> None:
    """Replace a file in one step; only its owner can read it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.new")
    unfinished.unlink(missing_ok=True)
    unfinished.touch(mode=0o600)
    unfinished.write_text(text)
    unfinished.replace(path)
