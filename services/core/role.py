"""What people are in the loop, and the one table of what each role may do."""

from collections.abc import Iterable, Mapping
from enum import StrEnum

from services.core.permission import Permission
from services.core.text import Text


class Role(StrEnum):
    """A user has one or more; together they may do what any of them may."""

    OPERATOR = "operator"
    """值班员: watches, acknowledges, judges, publishes."""
    ANALYST = "analyst"
    """分析员: looks into alerts, evidence and rejected payloads, and changes nothing."""
    DISPATCHER = "dispatcher"
    """调度员: sends orders and follows them through."""
    FIELD_CREW = "field-crew"
    """处置人员: receives orders, reports from the place, hands back."""
    REGULATOR = "regulator"
    """主管部门: approves, supervises, sees who did what."""
    ADMINISTRATOR = "administrator"
    """管理员: users, keys and receivers; no part in the loop, so that nobody grants and decides alone."""


PERMISSIONS: Mapping[Role, frozenset[Permission]] = {
    Role.OPERATOR: frozenset({Permission.READ, Permission.OPERATE, Permission.REPORT}),
    Role.ANALYST: frozenset({Permission.READ, Permission.AUDIT}),
    Role.DISPATCHER: frozenset({Permission.READ, Permission.OPERATE, Permission.HANDLE, Permission.REPORT}),
    Role.FIELD_CREW: frozenset({Permission.READ, Permission.HANDLE, Permission.REPORT}),
    Role.REGULATOR: frozenset({Permission.READ, Permission.APPROVE, Permission.AUDIT}),
    Role.ADMINISTRATOR: frozenset({Permission.READ, Permission.AUDIT, Permission.ADMINISTER}),
}
"""Who may do what."""

LABELS: Mapping[Role, Text] = {
    Role.OPERATOR: Text("Operator", "值班员"),
    Role.ANALYST: Text("Analyst", "分析员"),
    Role.DISPATCHER: Text("Dispatcher", "调度员"),
    Role.FIELD_CREW: Text("Field crew", "处置人员"),
    Role.REGULATOR: Text("Regulator", "主管部门"),
    Role.ADMINISTRATOR: Text("Administrator", "管理员"),
}


def permissions_of(roles: Iterable[Role]) -> frozenset[Permission]:
    """What somebody with these roles may do."""
    return frozenset().union(*(PERMISSIONS[role] for role in roles))
