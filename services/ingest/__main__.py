"""``python -m services.ingest``: the ingest process with settings from the environment."""

from services.core.process import run_service
from services.ingest.service import run

run_service("ingest", run)
