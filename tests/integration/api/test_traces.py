"""Traces as a collector gets them: a real one of OTLP over HTTP, and the service as a process of its own."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from services.demo.ports import free_port
from tests.fixtures.demo import eventually
from tests.integration.api.harness import key_of

MORE_THAN_ENOUGH_S = 30.0


class Collector(ThreadingHTTPServer):
    """Keeps every span that comes, as (service, name, identifier of the trace, attributes)."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Taking)
        self.spans: list[tuple[str, str, str, Mapping[str, Any]]] = []

    def find(self, name: str, **attributes: Any) -> tuple[str, str, str, Mapping[str, Any]] | None:
        found = (span for span in self.spans if span[1] == name and attributes.items() <= span[3].items())
        return next(found, None)


class _Taking(BaseHTTPRequestHandler):
    server: Collector
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        sent = ExportTraceServiceRequest.FromString(_unpacked(self))
        for resource in sent.resource_spans:
            service = next(
                pair.value.string_value for pair in resource.resource.attributes if pair.key == "service.name"
            )
            for span in (span for scope in resource.scope_spans for span in scope.spans):
                attributes = {pair.key: pair.value.string_value or pair.value.int_value for pair in span.attributes}
                self.server.spans.append((service, span.name, span.trace_id.hex(), attributes))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def _unpacked(request: BaseHTTPRequestHandler) -> bytes:
    assert request.path == "/v1/traces"
    assert request.headers["content-type"] == "application/x-protobuf"
    return request.rfile.read(int(request.headers["content-length"]))


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@contextmanager
def running_api(database_url: str, log: Path, **more: str) -> Iterator[str]:
    port = free_port(0)
    environment = os.environ | {"LIFELINE_DATABASE_URL": database_url, "LIFELINE_API_PORT": str(port)} | more
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "services.api"], env=environment, stdout=output, stderr=output
        )
    address = f"http://127.0.0.1:{port}"

    def is_up() -> bool:
        assert process.poll() is None, log.read_text()
        try:
            return httpx.get(f"{address}/livez").is_success
        except httpx.TransportError:
            return False

    try:
        eventually(is_up, MORE_THAN_ENOUGH_S)
        yield address
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(MORE_THAN_ENOUGH_S)


def test_a_request_is_found_in_its_trace_by_the_name_in_its_answer_and_in_the_log(
    city_url: str, collector: Collector, tmp_path: Path
) -> None:
    log = tmp_path / "api.log"
    named = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.server_port}",
        "OTEL_BSP_SCHEDULE_DELAY": "100",
        "LIFELINE_LOG_FORMAT": "json",
        # A provider that is not there makes a request write a line into the log.
        "LIFELINE_OIDC_ISSUER": "http://127.0.0.1:9",
    }
    with running_api(city_url, log, **named) as address:
        fine = httpx.get(f"{address}/api/v1/lifelines", headers={"Authorization": f"Bearer {key_of('read')}"})
        refused = httpx.get(f"{address}/api/v1/login/provider", headers={"X-Request-ID": "edge-0123456789"})
        assert (fine.status_code, refused.status_code) == (200, 503)
        httpx.get(f"{address}/readyz")
        request_id = fine.headers["x-request-id"]
        found = eventually(
            lambda: collector.find("GET /api/v1/lifelines", **{"lifeline.request_id": request_id}), MORE_THAN_ENOUGH_S
        )
        assert found[0] == "lifeline-api"
        assert found[3]["http.response.status_code"] == 200
        name = "GET /api/v1/login/provider"
        failed = eventually(
            lambda: collector.find(name, **{"lifeline.request_id": "edge-0123456789"}), MORE_THAN_ENOUGH_S
        )
    line = next(line for line in map(json.loads, log.read_text().splitlines()) if "request_id" in line)
    assert (line["request_id"], line["trace_id"]) == ("edge-0123456789", failed[2])
    assert all("readyz" not in span[1] for span in collector.spans)
    assert key_of("read") not in repr(collector.spans)


def test_without_a_collector_no_line_of_the_log_names_a_trace(city_url: str, tmp_path: Path) -> None:
    log = tmp_path / "api.log"
    more = {"LIFELINE_LOG_FORMAT": "json", "LIFELINE_OIDC_ISSUER": "http://127.0.0.1:9"}
    with running_api(city_url, log, **more) as address:
        httpx.get(f"{address}/api/v1/login/provider")
    line = next(line for line in map(json.loads, log.read_text().splitlines()) if "request_id" in line)
    assert "trace_id" not in line
