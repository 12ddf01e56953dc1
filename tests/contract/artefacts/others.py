"""The metrics of others that our rules ask for, with their labels, by who shows them.

Read where they are made; no test of ours runs those programs.
"""

_OF_A_CLUSTER = ("cnpg_io_cluster",)
"""What the PodMonitor `postgres` adds to all that an instance shows, and to whether it does."""

_BY_SOURCE: dict[str, dict[str, tuple[str, ...]]] = {
    "plugin-barman-cloud, internal/cnpgi/instance/metrics.go": {
        "barman_cloud_cloudnative_pg_io_last_available_backup_timestamp": _OF_A_CLUSTER,
    },
    "CloudNativePG, config/manager/default-monitoring.yaml": {
        "cnpg_pg_stat_archiver_seconds_since_last_archival": _OF_A_CLUSTER,
    },
    "CloudNativePG, pkg/management/postgres/webserver/metricserver/pg_collector.go": {
        "cnpg_collector_pg_wal_archive_status": (*_OF_A_CLUSTER, "value"),
    },
    "Kubernetes, pkg/kubelet/metrics/collectors/volume_stats.go": {
        "kubelet_volume_stats_available_bytes": ("persistentvolumeclaim",),
        "kubelet_volume_stats_capacity_bytes": ("persistentvolumeclaim",),
    },
    "Prometheus, of each target": {"up": _OF_A_CLUSTER},
}

OTHERS = {name: labels for shown in _BY_SOURCE.values() for name, labels in shown.items()}
"""Their labels by their names, without those that every series gets where it is scraped."""
