"""One PostgreSQL server on loopback TCP: its data directory, its settings, how it is started.

Roles and databases inside it are made by `databases`.
"""

import os
import shutil
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from handoff.embedded.ports import LOOPBACK
from handoff.embedded.tool import run_tool
from handoff.supervisor.spec import Account, Spec

ADMIN = "postgres"
_ANSWER_WITHIN = 2.0
_OPEN_TO_SEARCH = 0o001


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """Where the server is and how it is started.

    Attributes:
        programs: directory of `initdb` and `postgres`.
        settings: a file of settings that the server includes.
        data: its data directory, kept between runs; `account` must be able to enter it.
        password: of the administrator's role.
        durable: whether `initdb` waits for the disk.
    """

    programs: Path
    settings: Path
    data: Path
    port: int
    password: str
    account: Account | None = None
    durable: bool = True

    @property
    def url(self) -> str:
        """Connection URL of the administrator."""
        return f"postgresql://{ADMIN}:{self.password}@{LOOPBACK}:{self.port}/postgres"

    def prepare(self) -> None:
        """Make the data directory if there is none, and bring its settings up to date.

        Raises:
            ToolFailed: `initdb` failed.
        """
        if not self.data.exists():
            self._make()
        settings = self.data / "handoff.conf"
        settings.write_text(self.settings.read_text())
        self._give_away(settings)

    def spec(self, environment: Mapping[str, str]) -> Spec:
        """Return how to run it, once prepared."""
        return Spec(
            name="postgres",
            command=(str(self.programs / "postgres"), "-D", str(self.data), "-p", str(self.port)),
            environment=environment,
            ready=self.is_ready,
            # "Fast": ends sessions and checkpoints. SIGTERM would wait for clients to leave.
            stop_signal=signal.SIGINT,
            # "Immediate": its own children end with it. After SIGKILL they may linger.
            death_signal=signal.SIGQUIT,
            account=self.account,
            directory=self.data,
        )

    async def is_ready(self) -> bool:
        """Tell whether a session can be opened."""
        try:
            connection = await asyncpg.connect(self.url, timeout=_ANSWER_WITHIN, ssl=False)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return False
        await connection.close()
        return True

    def _make(self) -> None:
        """Run initdb beside the final place: an interrupted run leaves nothing half made."""
        unfinished = self.data.with_name(f"{self.data.name}.new")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True, mode=0o700)
        secret = unfinished.with_name(f"{self.data.name}.password")
        secret.touch(mode=0o600)
        secret.write_text(self.password)
        self._give_away(unfinished, secret)
        try:
            self._initdb(unfinished, secret)
        finally:
            secret.unlink()
        with (unfinished / "postgresql.conf").open("a") as settings:
            settings.write("include 'handoff.conf'\n")
        unfinished.rename(self.data)

    def _initdb(self, data: Path, secret: Path) -> None:
        locale = "C.UTF-8" if sys.platform == "linux" else "C"
        options = ["--auth=scram-sha-256", f"--pwfile={secret}", f"--username={ADMIN}"]
        options += ["--encoding=UTF8", f"--locale={locale}", "--data-checksums"]
        options += [] if self.durable else ["--no-sync"]
        initdb = str(self.programs / "initdb")
        run_tool(initdb, "-D", str(data), *options, account=self.account, directory=data)

    def _give_away(self, *paths: Path) -> None:
        if self.account is not None:
            for path in paths:
                os.chown(path, self.account.uid, self.account.gid)


def can_enter(directory: Path, account: Account) -> bool:
    """Tell whether an account may pass through a directory and all that hold it."""
    return all(
        _may_search(place.stat(), account) for place in (directory, *directory.resolve().parents)
    )


def _may_search(status: os.stat_result, account: Account) -> bool:
    if status.st_uid == account.uid:
        return bool(status.st_mode & (_OPEN_TO_SEARCH << 6))
    if status.st_gid == account.gid:
        return bool(status.st_mode & (_OPEN_TO_SEARCH << 3))
    return bool(status.st_mode & _OPEN_TO_SEARCH)
