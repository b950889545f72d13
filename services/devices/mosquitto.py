"""The password file and the access list that Mosquitto reads."""

from collections.abc import Sequence

from services.devices.credentials import Credentials
from services.devices.device import Device
from services.devices.rights import NAME_OF_USER, Right, rights_by_user, rights_of_everybody


def password_file(credentials: Credentials) -> str:
    """One line a user: ``name:$7$iterations$salt$hash``."""
    return "".join(f"{name}:{credentials[name].password.mosquitto}\n" for name in sorted(credentials))


def acl_file(city: str, devices: Sequence[Device]) -> str:
    """Everybody's rights as patterns, and a block for each user that has others. What is not in it is refused."""
    lines = ["# Written by `lifeline devices`; %u is the user's own name.", *_patterns(rights_of_everybody(city))]
    for name, rights in rights_by_user(city, devices).items():
        lines += ["", f"user {name}", *(f"topic {right.access} {right.topic}" for right in rights)]
    return "\n".join(lines) + "\n"


def _patterns(rights: Sequence[Right]) -> list[str]:
    return [f"pattern {right.access} {right.topic.replace(NAME_OF_USER, '%u')}" for right in rights]
