"""What stops a command of this room."""


class DeviceSecurityError(Exception):
    """Something is missing, in the way, or cannot be right; the message is one line that a person can act on."""
