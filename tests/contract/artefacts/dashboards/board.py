"""What a dashboard is made of, and the JSON that Grafana reads."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

_SCHEMA = 39
_WHOLE_WIDTH = 24
_DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
_GREEN, _RED = {"color": "green", "value": None}, "red"


@dataclass(frozen=True, slots=True)
class Panel:
    """A picture of some series: each an expression and what it is called.

    `limit`: from which value on it is red. `kind`: `timeseries`, `stat` (the last value), `table`.
    """

    title: str
    series: Sequence[tuple[str, str]]
    unit: str = "short"
    kind: str = "timeseries"
    width: int = 8
    height: int = 8
    limit: float | None = None
    meaning: str = ""

    def content(self, number: int, x: int, y: int) -> dict[str, Any]:
        """Return the panel as Grafana knows it, at its place."""
        return {
            "id": number,
            "title": self.title,
            "description": self.meaning,
            "type": self.kind,
            "datasource": _DATASOURCE,
            "gridPos": {"x": x, "y": y, "w": self.width, "h": self.height},
            "fieldConfig": {"defaults": self._look(), "overrides": []},
            "options": self._options(),
            "targets": [
                {
                    "refId": chr(ord("A") + place),
                    "datasource": _DATASOURCE,
                    "expr": expression,
                    "legendFormat": name,
                    "instant": self.kind == "table",
                    "format": "table" if self.kind == "table" else "time_series",
                }
                for place, (expression, name) in enumerate(self.series)
            ],
        }

    def _look(self) -> dict[str, Any]:
        steps = [_GREEN] if self.limit is None else [_GREEN, {"color": _RED, "value": self.limit}]
        lines = {"lineWidth": 1, "fillOpacity": 8, "showPoints": "never", "spanNulls": False}
        if self.limit is not None:
            lines["thresholdsStyle"] = {"mode": "line"}
        look: dict[str, Any] = {
            "unit": self.unit,
            "min": 0,
            "noValue": "none so far",  # a count that never counted has no series
            "thresholds": {"mode": "absolute", "steps": steps},
        }
        return look | ({"custom": lines} if self.kind == "timeseries" else {})

    def _options(self) -> dict[str, Any]:
        if self.kind == "stat":
            last = {"calcs": ["lastNotNull"], "fields": "", "values": False}
            return {"reduceOptions": last, "colorMode": "value", "graphMode": "area"}
        if self.kind == "table":
            return {"showHeader": True}
        legend = {"displayMode": "list", "placement": "bottom", "showLegend": True}
        return {"legend": legend, "tooltip": {"mode": "multi", "sort": "desc"}}


@dataclass(frozen=True, slots=True)
class Board:
    """A dashboard: rows of panels; with `of_a_service`, of the one that is chosen above."""

    uid: str
    title: str
    rows: Sequence[tuple[str, Sequence[Panel]]]
    of_a_service: bool = False

    def content(self) -> dict[str, Any]:
        """Return the dashboard as Grafana reads it."""
        return {
            "uid": self.uid,
            "title": self.title,
            "tags": ["handoff"],
            "schemaVersion": _SCHEMA,
            "editable": True,
            "graphTooltip": 1,
            "refresh": "30s",
            "time": {"from": "now-3h", "to": "now"},
            "timezone": "browser",
            "links": [_LINKS],
            "templating": {"list": list(self._variables())},
            "panels": list(self._panels()),
        }

    def _variables(self) -> Iterator[dict[str, Any]]:
        yield {
            "name": "datasource",
            "label": "Prometheus",
            "type": "datasource",
            "query": "prometheus",
        }
        if self.of_a_service:
            query = "label_values(handoff_build_info, service)"
            yield {
                "name": "service",
                "label": "Service",
                "type": "query",
                "datasource": _DATASOURCE,
                "query": {"query": query, "refId": "services"},
                "definition": query,
                "refresh": 2,
                "sort": 1,
            }

    def _panels(self) -> Iterator[dict[str, Any]]:
        number = y = 0
        for title, panels in self.rows:
            number += 1
            place = {"x": 0, "y": y, "w": _WHOLE_WIDTH, "h": 1}
            yield {"id": number, "type": "row", "title": title, "collapsed": False,
                   "gridPos": place, "panels": []}  # fmt: skip
            y, x, height = y + 1, 0, 0
            for panel in panels:
                if x + panel.width > _WHOLE_WIDTH:
                    x, y, height = 0, y + height, 0
                number += 1
                yield panel.content(number, x, y)
                x, height = x + panel.width, max(height, panel.height)
            y += height


_LINKS = {
    "type": "dashboards",
    "title": "Handoff",
    "tags": ["handoff"],
    "asDropdown": True,
    "includeVars": False,
    "keepTime": True,
}
