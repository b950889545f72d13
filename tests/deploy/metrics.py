"""Every metric that Prometheus can find, and the names that an expression asks for."""

import promql_parser
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from services.alerts.metrics import Metrics as AlertMetrics
from services.api.app import create_app
from services.core.settings import Settings
from services.ingest.metrics import Metrics

# Made by Prometheus itself: whether a target answered, and the alerts of its own rules.
OF_PROMETHEUS = frozenset({"up", "ALERTS"})

_OF_A_HISTOGRAM = ("_bucket", "_sum", "_count")


def exported() -> frozenset[str]:
    """Names of all time series that our processes export, as they are written in a query."""
    application = create_app(Settings(database_url=SecretStr("postgresql://127.0.0.1/none")))
    registries: list[CollectorRegistry] = [Metrics().registry, AlertMetrics().registry, application.state.metrics]
    return OF_PROMETHEUS.union(*(_names(registry) for registry in registries))


def _names(registry: CollectorRegistry) -> set[str]:
    names = set()
    for family in registry.collect():
        if family.type == "counter":
            names.add(f"{family.name}_total")
        elif family.type == "histogram":
            names.update(family.name + ending for ending in _OF_A_HISTOGRAM)
        else:
            names.add(family.name)
    return names


def asked_for(expression: str) -> set[str]:
    """Names of the time series in a PromQL expression.

    Raises:
        ValueError: it is no PromQL.
    """
    # Grafana puts a duration in place of its variable before it asks.
    return _selected(promql_parser.parse(expression.replace("$__rate_interval", "1m")))


def _selected(node: object) -> set[str]:
    if isinstance(node, promql_parser.VectorSelector):
        return {str(node.name)}
    return set().union(*(_selected(part) for part in _parts(node)))


def _parts(node: object) -> list[object]:
    match node:
        case promql_parser.MatrixSelector():
            return [node.vector_selector]
        case promql_parser.BinaryExpr():
            return [node.lhs, node.rhs]
        case promql_parser.Call():
            return list(node.args)
        case promql_parser.NumberLiteral() | promql_parser.StringLiteral():
            return []
        case promql_parser.AggregateExpr() | promql_parser.ParenExpr():
            return [node.expr]
        case promql_parser.UnaryExpr() | promql_parser.SubqueryExpr():
            return [node.expr]
    raise TypeError(f"an expression of a kind this does not know: {type(node).__name__}")
