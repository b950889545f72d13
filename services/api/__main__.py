"""``python -m services.api``: the API process with settings from the environment."""

import uvloop

from services.api.service import run
from services.core.process import run_service

run_service("api", run, uvloop.new_event_loop)
