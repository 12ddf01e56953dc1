"""The metrics of others that our rules ask for, with their labels, by who shows them.

Read where they are made; no test of ours runs those programs.
"""

_OF_A_CLUSTER = ("cnpg_io_cluster",)
"""What the PodMonitor `postgres` adds to all that an instance shows, and to whether it does."""
_OF_KAFKA = ("strimzi_io_cluster",)
"""The same of the PodMonitor `kafka`."""

_BY_SOURCE: dict[str, dict[str, tuple[str, ...]]] = {
    "plugin-barman-cloud, internal/cnpgi/instance/metrics.go": {
        "barman_cloud_cloudnative_pg_io_last_available_backup_timestamp": _OF_A_CLUSTER,
    },
    "CloudNativePG, config/manager/default-monitoring.yaml": {
        "cnpg_pg_stat_archiver_seconds_since_last_archival": _OF_A_CLUSTER,
        "cnpg_pg_replication_in_recovery": _OF_A_CLUSTER,
        "cnpg_pg_replication_is_wal_receiver_up": _OF_A_CLUSTER,
        "cnpg_pg_replication_lag": _OF_A_CLUSTER,
        "cnpg_pg_replication_slots_active": (*_OF_A_CLUSTER, "slot_name"),
    },
    "CloudNativePG, pkg/management/postgres/webserver/metricserver/pg_collector.go": {
        "cnpg_collector_pg_wal_archive_status": (*_OF_A_CLUSTER, "value"),
        "cnpg_collector_sync_replicas": (*_OF_A_CLUSTER, "value"),
    },
    # Of the names of Kafka's gauges; Strimzi lets these through where no `allowList` is said.
    "Strimzi's metrics-reporter, YammerMetricWrapper.java": {
        "kafka_server_replicamanager_underminisrpartitioncount": _OF_KAFKA,
        "kafka_server_replicamanager_underreplicatedpartitions": _OF_KAFKA,
        "kafka_controller_kafkacontroller_activecontrollercount": _OF_KAFKA,
        "kafka_controller_kafkacontroller_offlinepartitionscount": _OF_KAFKA,
    },
    "Kubernetes, pkg/kubelet/metrics/collectors/volume_stats.go": {
        "kubelet_volume_stats_available_bytes": ("persistentvolumeclaim",),
        "kubelet_volume_stats_capacity_bytes": ("persistentvolumeclaim",),
    },
    "Prometheus, of each target": {"up": (*_OF_A_CLUSTER, *_OF_KAFKA)},
}

OTHERS = {name: labels for shown in _BY_SOURCE.values() for name, labels in shown.items()}
"""Their labels by their names, without those that every series gets where it is scraped."""
