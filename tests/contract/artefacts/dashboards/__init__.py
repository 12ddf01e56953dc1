"""The dashboards for Grafana (`deploy/observability/dashboards`), a line a panel."""
