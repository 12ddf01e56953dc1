"""Phone numbers as people write them, brought to E.164 by Google's library."""

import re
from functools import lru_cache

import phonenumbers

_INTERNATIONAL = re.compile(r"\+[\d\s().\-/]+")
_FEWEST, _MOST = 6, 15


@lru_cache(maxsize=4096)
def to_e164(text: str, region: str | None) -> str | None:
    """Return the number in E.164; None if it can be no number, or its country is not known.

    What is written with its country's code is kept even where no plan of numbers knows it: who
    wrote it the same way twice is the same person all the same.
    """
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return _as_written(text)
    if not phonenumbers.is_possible_number(number):
        return _as_written(text)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _as_written(text: str) -> str | None:
    digits = "".join(letter for letter in text if letter in "0123456789")
    whole = _INTERNATIONAL.fullmatch(text.strip()) and _FEWEST <= len(digits) <= _MOST
    return f"+{digits}" if whole else None
