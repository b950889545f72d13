"""``python -m services.alerts``: the alert process with settings from the environment."""

from services.alerts.service import run
from services.core.process import run_service

run_service("alerts", run)
