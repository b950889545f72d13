"""What concerns the whole city: nobody who is confined to a part of it may ask for it."""

from services.core.permission import Permission

ROUTES = frozenset(
    {
        ("GET", "/audit"),
        ("GET", "/audit/checkpoints"),
        ("GET", "/alerts/{alert}/evidence"),
        ("POST", "/warning-policies"),
        ("POST", "/inhibitions/{rule}/switch"),
        ("POST", "/weather-warnings"),
        ("PUT", "/disposal-rules/{lifeline}"),
        ("PUT", "/response-plans/{plan}"),
        ("POST", "/rejections/reprocess"),
    }
)
"""Routes below the API's prefix; what asks for ``administer`` is always among them."""


def is_city_wide(method: str, path: str, permission: Permission | None) -> bool:
    """Whether a route is for callers without limits alone."""
    return permission is Permission.ADMINISTER or (method, path) in ROUTES
