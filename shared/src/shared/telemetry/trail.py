"""What a log may hold of an exception: what it was and where it came from, not what it says.

An error's own text can hold a person's data (Postgres names the value of a key that is taken).
"""

import traceback

_DEEPEST_FRAMES = 12


def of(error: BaseException) -> dict[str, object]:
    """Return the names of an error and its causes, and the innermost places it passed."""
    frames = traceback.extract_tb(error.__traceback__)[-_DEEPEST_FRAMES:]
    where = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    return {"error": _names(error), "where": where}


def _names(error: BaseException | None) -> str:
    """Name each once: an error that is raised again while its effect is handled closes a circle."""
    chain: list[BaseException] = []
    while error is not None and error not in chain:
        chain.append(error)
        error = error.__cause__ or error.__context__
    return " < ".join(type(each).__qualname__ for each in chain)
