"""For each alert on copies in Kafka and Postgres: what lets it fire, and what must not."""

from tests.contract.firing import HERE, INSTANCE, Case, Series, constant, elsewhere, instance

_NODE = 'namespace="handoff",pod="handoff-all-%s",strimzi_io_cluster="handoff"'
_LED = f"kafka_server_replicamanager_%s{{{_NODE}}}"
_CONTROLLED = f"kafka_controller_kafkacontroller_%s{{{_NODE}}}"
_FOLLOWS = f"cnpg_pg_replication_in_recovery{{{INSTANCE}}}"
_RECEIVES = f"cnpg_pg_replication_is_wal_receiver_up{{{INSTANCE}}}"
_BEHIND = f"cnpg_pg_replication_lag{{{INSTANCE}}}"
_SLOT = f'cnpg_pg_replication_slots_active{{slot_name="%s",{INSTANCE}}}'
_CONFIRMATIONS = f'cnpg_collector_sync_replicas{{value="%s",{INSTANCE}}}'
_DEMANDED = _CONFIRMATIONS % ("observed", "%s")
_OF_A_STANDBY = _SLOT % ("_cnpg_postgres_2", "%s")


def _nodes(name: str, *values: str, shown: str = _LED) -> Series:
    """Return what Kafka's nodes show, a value each, beside a process of ours."""
    return HERE | {shown % (name, node): value for node, value in enumerate(values)}


def _primary(more: dict[str, str]) -> Series:
    """Return what an instance shows that follows nobody, and demands a confirmation."""
    is_primary = {_FOLLOWS: constant(0), _RECEIVES: constant(0), _DEMANDED: constant(1)}
    return instance({**is_primary, **more})


def _standby(more: dict[str, str], pod: str = "postgres-2") -> Series:
    """Return what an instance shows that follows another."""
    return instance({_FOLLOWS: constant(1), _RECEIVES: constant(1), **more}, pod)


_ZERO, _ONE, _TWO = map(constant, (0, 1, 2))
_RESTARTED = "0x10 1x10 0x100"
_CLOSED = _nodes("underminisrpartitioncount", _ZERO, _TWO)
_LEADERLESS = _nodes("offlinepartitionscount", _TWO, _TWO, shown=_CONTROLLED)
_LACKING = _nodes("underreplicatedpartitions", _ZERO, _TWO)
_ASKED = HERE | {f"up{{{_NODE}}}" % node: _ONE for node in (0, 1)}
_NOBODY = _ASKED | _nodes("activecontrollercount", _ZERO, _ZERO, shown=_CONTROLLED)
_ALONE = _primary({})
_LATE = _standby({_BEHIND: constant(301)})
_AWAY = _primary({_OF_A_STANDBY: _ZERO})

CASES = [
    Case(alert="HandoffKafkaTooFewCopies", at="3m", bad=(_CLOSED,),
         good=(_nodes("underminisrpartitioncount", _ZERO, _ZERO),
               _nodes("underminisrpartitioncount", "0x1 2x100"), elsewhere(_CLOSED))),
    Case(alert="HandoffKafkaNoLeader", at="3m", bad=(_LEADERLESS,),
         good=(_nodes("offlinepartitionscount", _ZERO, _ZERO, shown=_CONTROLLED),
               _nodes("offlinepartitionscount", "0x1 2x100", shown=_CONTROLLED),
               elsewhere(_LEADERLESS))),
    Case(alert="HandoffKafkaNoController", at="3m", bad=(_NOBODY, _ASKED),
         good=(_ASKED | _nodes("activecontrollercount", _ZERO, _ONE, shown=_CONTROLLED),
               _ASKED | _nodes("activecontrollercount", "1x1 0x100", shown=_CONTROLLED),
               HERE, elsewhere(_NOBODY))),
    Case(alert="HandoffKafkaCopyBehind", at="40m", bad=(_LACKING,),
         good=(_nodes("underreplicatedpartitions", _ZERO, _ZERO),
               _nodes("underreplicatedpartitions", "0x15 2x100"), elsewhere(_LACKING))),
    # Nothing waits for a confirmation that Postgres itself was not told to wait for.
    Case(alert="HandoffPostgresNoStandby", at="10m",
         bad=(_ALONE, _ALONE | _standby({_RECEIVES: _ZERO})),
         good=(_ALONE | _standby({}),
               _ALONE | _standby({_RECEIVES: _ZERO}) | _standby({}, "postgres-3"),
               _primary({_DEMANDED: _ZERO, _CONFIRMATIONS % ("max", "%s"): _TWO}),
               _ALONE | _standby({_RECEIVES: "1x8 0x100"}), elsewhere(_ALONE))),
    Case(alert="HandoffPostgresStandbyAway", bad=(_AWAY,),
         good=(_primary({_OF_A_STANDBY: _ONE}), _primary({_OF_A_STANDBY: _RESTARTED}),
               _primary({_SLOT % ("of_somebody_else", "%s"): _ZERO}),
               _standby({_SLOT % ("_cnpg_postgres_3", "%s"): _ZERO}), elsewhere(_AWAY))),
    Case(alert="HandoffPostgresStandbyLate", bad=(_LATE,),
         good=(_standby({_BEHIND: constant(299)}), _standby({_BEHIND: "0x22 400x100"}),
               elsewhere(_LATE))),
]  # fmt: skip
