"""A typed client of the service's API: ``Client(address, key).ask(calls.alert(identifier))``."""

from services.client import calls
from services.client.async_client import AsyncClient
from services.client.client import Client
from services.client.event import Choice, Event
from services.client.problem import AnswerError, AwayError, ClientError, Problem, ProblemError

__all__ = [
    "AnswerError",
    "AsyncClient",
    "AwayError",
    "Choice",
    "Client",
    "ClientError",
    "Event",
    "Problem",
    "ProblemError",
    "calls",
]
