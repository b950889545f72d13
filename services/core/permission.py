"""What a caller of the API may do."""

from enum import StrEnum


class Permission(StrEnum):
    """Each route asks for exactly one of these."""

    READ = "read"
    """See the city, its readings, alerts, warnings and orders."""
    OPERATE = "operate"
    """Acknowledge, judge, publish, lift (值班员); reprocess and dismiss rejected payloads."""
    APPROVE = "approve"
    """Approve warnings, put policies and limits in force (审批)."""
    HANDLE = "handle"
    """Move work orders (处置人员)."""
    REPORT = "report"
    """Hand in what people, patrols and other systems have noticed."""
    AUDIT = "audit"
    """Read the audit trail and rejected payloads; take the evidence behind an alert."""
    ADMINISTER = "administer"
    """Change who is told and how: receivers, their addresses and secrets."""
