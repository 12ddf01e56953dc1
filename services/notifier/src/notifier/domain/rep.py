"""A rep as the notifier knows them: who tasks can be given to. Who they are is sales' business."""

from dataclasses import dataclass
from datetime import datetime

from shared.ids import RepId


@dataclass(slots=True, kw_only=True)
class Rep:
    """A rep in the highest version that was heard."""

    id: RepId
    version: int
    name: str
    email: str
    state: str
    created_at: datetime
    updated_at: datetime
