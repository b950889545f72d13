"""OpenTelemetry traces: off unless the standard's own variables name a collector, and then every process tells it.

Spans are made through OpenTelemetry's interface, which does nothing while no provider is set. What sends them is the
extra ``traces``; its variables are OpenTelemetry's and not settings of ours, so that a collector is named once for all
programs.
"""

from collections.abc import Mapping

from opentelemetry import trace
from structlog.typing import EventDict, WrappedLogger

from services.core.settings import ConfigurationError

TRACER = trace.get_tracer("lifeline")
REQUEST_ID = "lifeline.request_id"
"""The attribute of a request's span that carries its name in the log and in its answer."""
_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_SENT_BY = "http/protobuf"


def wanted(environment: Mapping[str, str]) -> bool:
    """Whether the variables ask for traces: a collector is named, or the exporter, and neither is switched off.

    Raises:
        ConfigurationError: they ask for something that is not built in.
    """
    exporter = environment.get("OTEL_TRACES_EXPORTER", "").strip()
    endpoint = next((name for name in _ENDPOINTS if environment.get(name)), None)
    is_disabled = environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    if is_disabled or exporter == "none" or (endpoint is None and not exporter):
        return False
    if exporter not in {"", "otlp"}:
        raise ConfigurationError(
            f"OTEL_TRACES_EXPORTER is {exporter!r}; traces are sent by 'otlp' or not at all ('none')"
        )
    protocol = next((environment[name] for name in _PROTOCOLS if environment.get(name)), _SENT_BY)
    if protocol != _SENT_BY:
        raise ConfigurationError(f"OTEL_EXPORTER_OTLP_PROTOCOL is {protocol!r}; traces are sent by {_SENT_BY!r}")
    if endpoint is not None and not environment[endpoint].startswith(("http://", "https://")):
        raise ConfigurationError(f"{endpoint} is no address of a collector; write it as http://host:4318")
    return True


def start(process: str, environment: Mapping[str, str]) -> bool:
    """Send the spans of this process, ``api`` for example, from now on; returns whether any are wanted.

    Raises:
        ConfigurationError: they are wanted, and the extra ``traces`` is not installed or cannot send them.
    """
    if not wanted(environment):
        return False
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415 - an extra
            OTLPSpanExporter,
        )
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError:
        raise ConfigurationError(
            "OTEL_* ask for traces, and what sends them is not installed: pip install 'lifeline[traces]', "
            "or OTEL_TRACES_EXPORTER=none"
        ) from None
    named = environment.get("OTEL_SERVICE_NAME") or f"lifeline-{process}"
    provider = TracerProvider(resource=Resource.create({"service.name": named}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    return True


def name_in_log(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
    """Put the identifiers of the current span on a line of the log, by which a collector joins both."""
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        line["trace_id"] = trace.format_trace_id(context.trace_id)
        line["span_id"] = trace.format_span_id(context.span_id)
    return line
