"""Every time limit in one place, in seconds, in the order that must hold.

pod grace > graceful stop > handler > driver > statement > lock: the inner one always gives up
first, so the outer one still has time to say why. `tests/unit/shared/test_limits.py` holds it.
A worker has no handler: a loop that a statement keeps for longer than the graceful stop is
cancelled, with what it had not committed. A migration has no stop: it is killed and run again.
"""

from dataclasses import dataclass

REQUEST_HEAD = 5.0
REQUEST_BODY = 15.0
KEEP_ALIVE = 75.0  # above the 60 s of nginx and of load balancers: who sends closes, never we
UNREAD = 2.0  # what came, while others are worked on
HANDLER = 10.0
POOL_ACQUIRE = 2.0
CONNECT = 3.0
LOCK = 2.0
MIGRATION_LOCK = 1.0  # below LOCK: who queues behind a migration gets its turn when that gives way
MIGRATION_GIVES_UP = 60.0
INDEX = 3600.0  # made beside traffic, which waits for nothing meanwhile
IDLE_IN_TRANSACTION = 10.0
CLIENT_CONNECTION_CHECK = 1.0
LIFESPAN_START = 30.0
LIFESPAN_STOP = 10.0
DRAIN = 7.0  # above the 5 s for which many clients keep a connection that says nothing
GRACEFUL_STOP = 15.0
STOP = DRAIN + GRACEFUL_STOP + LIFESPAN_STOP  # all of a server's, one after the other
CANCELLED = 1.0  # for what did not end within that
POD_GRACE = 40.0
LAST_RESORT = POD_GRACE - 2.0  # the process ends itself, whatever still hangs

BROKER_ANSWER = 2.0
KAFKA_STOP = 5.0
KAFKA_COMMIT = 5.0
BROKER_TELLS = 15.0  # how far partitions reach
REPUBLISH_ACK = 20.0
KAFKA_POLL = 5.0
KAFKA_READ = 10.0
KAFKA_START = 30.0
ACK = 60.0
STUCK = 60.0

LEASE = 10.0
LEASE_RENEWAL = 0.3  # of a lease's time
HEARTBEAT_SILENCE = 30.0
AUDIT_PORTION = 300.0  # a hundred thousand leads: a few seconds, where the databases keep up
SESSION = 20.0

MAX_BODY_BYTES = 1_048_576
SMALL_BODY_BYTES = 16_384


@dataclass(frozen=True, slots=True)
class DatabaseLimits:
    """How long a statement may take, seen from server and driver, and wait for a lock."""

    statement: float
    driver: float
    lock: float = LOCK


API = DatabaseLimits(statement=5.0, driver=6.0)
WORKER = DatabaseLimits(statement=60.0, driver=65.0)
MIGRATION = DatabaseLimits(statement=60.0, driver=INDEX + 5.0, lock=MIGRATION_LOCK)
