"""`handoff topics`: Kafka's topics as the catalogue has them."""

import asyncio
import os
from collections.abc import Awaitable, Callable

import typer
from aiokafka.errors import KafkaError

from handoff.cli.places import running_system
from handoff.cli.progress import err, out
from handoff.system import embedded_kafka_settings
from shared.kafka import topics
from shared.settings import KafkaSettings

app = typer.Typer(no_args_is_help=True, help="Kafka's topics: make them, or compare them.")


@app.command()
def apply() -> None:
    """Make the topics that are missing.

    Without HANDOFF_KAFKA_BOOTSTRAP, in the Kafka that `handoff up` runs.

    Example: handoff topics apply
    """
    made = _ask(topics.apply)
    out.print("\n".join(f"made {name}" for name in made) or "All topics were there.")


@app.command()
def check() -> None:
    """Compare the topics with the catalogue; ends with 1 where they differ.

    Example: handoff topics check
    """
    differences = _ask(topics.check)
    out.print("\n".join(differences) or "All topics are as they should be.")
    if differences:
        raise typer.Exit(1)


def _settings() -> KafkaSettings:
    if "HANDOFF_KAFKA_BOOTSTRAP" in os.environ:
        return KafkaSettings()  # pyright: ignore[reportCallIssue]  its fields come from there
    return embedded_kafka_settings(running_system().kafka.bootstrap)


def _ask(question: Callable[[KafkaSettings], Awaitable[list[str]]]) -> list[str]:
    settings = _settings()

    async def ask() -> list[str]:
        return await question(settings)

    try:
        return asyncio.run(ask())
    except (KafkaError, OSError) as error:
        err.print(
            f"Kafka at {settings.kafka_bootstrap} did not answer: {error or type(error).__name__}"
        )
        raise typer.Exit(1) from None
