"""The user table and the access list that EMQX 5 reads."""

from collections.abc import Sequence

from services.devices.credentials import Credentials, table
from services.devices.device import Device
from services.devices.rights import NAME_OF_USER, Access, Right, rights_by_user, rights_of_everybody

_ACTIONS = {Access.READ: "subscribe", Access.WRITE: "publish", Access.BOTH: "all"}


def users_csv(credentials: Credentials) -> str:
    """What its built-in database imports: a salted hash a user, and nobody a superuser."""
    rows = (
        (name, credentials[name].password.emqx, credentials[name].password.emqx_salt, "false")
        for name in sorted(credentials)
    )
    return table(("user_id", "password_hash", "salt", "is_superuser"), rows)


def acl_conf(city: str, devices: Sequence[Device]) -> str:
    """Everybody's rights by the user's own name, then a rule for each user that has others, then a refusal.

    It is a list of Erlang terms. EMQX goes through it from the top for each decision, so it has to stay short.
    """
    lines = ["%% Written by `lifeline devices`."]
    lines += [_rule("all", right) for right in rights_of_everybody(city)]
    for name, rights in rights_by_user(city, devices).items():
        lines += [_rule(f'{{username, "{name}"}}', right) for right in rights]
    return "\n".join([*lines, "{deny, all}."]) + "\n"


def _rule(who: str, right: Right) -> str:
    topic = right.topic.replace(NAME_OF_USER, "${username}")
    return f'{{allow, {who}, {_ACTIONS[right.access]}, ["{topic}"]}}.'
