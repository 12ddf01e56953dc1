"""How long may be kept what is kept: a wrong setting is refused before anything is lost."""

import pytest
from pydantic import ValidationError

from shared.contracts.catalogue import RETENTION_DAYS
from shared.messaging.retention import RetentionSettings


def test_an_archive_that_forgets_what_the_topics_still_hold_is_refused() -> None:
    with pytest.raises(ValidationError, match="must be more than the 14 days"):
        RetentionSettings(archive_days=RETENTION_DAYS)

    assert RetentionSettings(archive_days=RETENTION_DAYS + 1).archive_days == RETENTION_DAYS + 1
