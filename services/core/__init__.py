"""What all services share. Whoever imports any of it can be stopped: see `services.core.cancellation`."""

from services.core.cancellation import keep_cancellations

keep_cancellations()
