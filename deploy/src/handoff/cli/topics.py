"""`handoff topics`: Kafka's topics as the catalogue has them."""

import asyncio
import os
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

import typer
from aiokafka.errors import KafkaError

from handoff.cli.answers import WRONG_USE, end
from handoff.cli.places import running_system
from handoff.cli.progress import out
from handoff.site import KAFKA
from handoff.system import embedded_kafka_settings
from shared.fitness import Fault
from shared.kafka import topics
from shared.settings import KafkaSettings, WrongSetting, is_given, read

T = TypeVar("T")

app = typer.Typer(no_args_is_help=True, help="Kafka's topics: make them, or compare them.")


@app.command()
def apply() -> None:
    """Make the topics that are missing; ends with 1 where others are not what order needs.

    Without HANDOFF_KAFKA_BOOTSTRAP, in the Kafka that `handoff up` runs.

    Example: handoff topics apply
    """
    settings = _settings()
    made = _ask(settings, topics.apply(settings))
    out.print("\n".join(f"made {name}" for name in made) or "All topics were there.")
    faults = _ask(settings, topics.check(settings))
    _show(faults)
    if any("topics" in fault.stops for fault in faults):
        raise typer.Exit(1)


@app.command()
def check() -> None:
    """Compare the topics with the catalogue; ends with 1 where they differ.

    Example: handoff topics check
    """
    settings = _settings()
    faults = _ask(settings, topics.check(settings))
    _show(faults)
    if faults:
        raise typer.Exit(1)
    out.print("All topics are as they should be.")


def _show(faults: Iterable[Fault]) -> None:
    for fault in faults:
        out.print(fault.text, markup=False)


def _settings() -> KafkaSettings:
    if not is_given(os.environ, KAFKA):
        return embedded_kafka_settings(running_system().kafka.bootstrap)
    try:
        return read(KafkaSettings)
    except WrongSetting as wrong:
        raise end(str(wrong), WRONG_USE) from None


def _ask(settings: KafkaSettings, question: Coroutine[Any, Any, T]) -> T:
    try:
        return asyncio.run(question)
    except (KafkaError, OSError) as error:
        raise end(topics.why_away(settings, error)) from None
