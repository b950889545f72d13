"""What OpenTelemetry's own variables ask for."""

import subprocess
import sys
from collections.abc import Mapping

import pytest

from services.core import traces
from services.core.settings import ConfigurationError

COLLECTOR = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}


@pytest.mark.parametrize(
    ("environment", "is_wanted"),
    [
        ({}, False),
        ({"OTEL_SERVICE_NAME": "api"}, False),
        (COLLECTOR, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://collector.example/v1/traces"}, True),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, True),
        ({**COLLECTOR, "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}, True),
        ({**COLLECTOR, "OTEL_TRACES_EXPORTER": "none"}, False),
        ({**COLLECTOR, "OTEL_SDK_DISABLED": "true"}, False),
    ],
)
def test_traces_are_sent_where_a_collector_is_named(environment: Mapping[str, str], is_wanted: bool) -> None:
    assert traces.wanted(environment) == is_wanted


@pytest.mark.parametrize(
    "environment",
    [
        {"OTEL_TRACES_EXPORTER": "zipkin"},
        {**COLLECTOR, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4317"},
    ],
)
def test_what_is_not_built_in_is_refused(environment: Mapping[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="OTEL_"):
        traces.start("api", environment)


def test_without_the_extra_one_line_says_what_to_install() -> None:
    missing = "import sys; sys.modules['opentelemetry.sdk'] = sys.modules['opentelemetry.sdk.trace'] = None; "
    ended = subprocess.run(
        [sys.executable, "-c", missing + "import services.api.__main__"],
        env=COLLECTOR,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.count("\n") == 1
    assert "pip install 'lifeline[traces]'" in ended.stderr
