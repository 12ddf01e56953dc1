"""Which code runs here: a service's version, with a digest of the very files that are loaded.

Two checkouts of one version differ where a fix was made, and only there: that is what tells the
breaker that other code runs now. Libraries are not part of it.
"""

import hashlib
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

_SUFFIXES = {".py", ".sql"}
_LENGTH = 12


def version_of(service: str) -> str:
    """Return the version of a service's code, such as `0.1.0+3f9a0c1e77b2`.

    Reads the files of its package and of `shared`; ask once, when the process starts.
    """
    digest = hashlib.sha256()
    for package in (service.replace("-", "_"), "shared"):
        root = _root_of(package)
        for file in sorted(each for each in root.rglob("*") if each.suffix in _SUFFIXES):
            digest.update(f"{package}/{file.relative_to(root)}\0".encode())
            digest.update(hashlib.sha256(file.read_bytes()).digest())
    return f"{version(service)}+{digest.hexdigest()[:_LENGTH]}"


def _root_of(package: str) -> Path:
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(package)
    return Path(spec.origin).parent
