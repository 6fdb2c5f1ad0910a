"""A sheet of public figures in the terms of the library that writes it for Prometheus.

Imported only where figures are shown: a party that shows none needs no `prometheus_client`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from policies.rules.metrics import Family, Sheet


class Shown(Collector):
    """The last sheet, of one list: empty until the first. Only what is on it, nothing about the process."""

    def __init__(self, families: Iterable[Family]) -> None:
        self.sheet = Sheet(families)

    def collect(self) -> Iterator[Metric]:
        for family, values in self.sheet.families():
            made = (CounterMetricFamily if family.kind == "counter" else GaugeMetricFamily)(
                family.name, family.help, labels=tuple(family.labels)
            )
            for place, value in sorted(values.items()):
                made.add_metric(place, float(value))
            yield made
