"""A role that may do everything with the database but change the audit trail."""

from psycopg import Connection, sql

_CHAIN = ("audit_link", "audit_head")


def restrict(connection: Connection, role: str) -> None:
    """Give a role what the services need: all tables, and of the audit trail reading and adding alone.

    The links of the chain are made by a function with its owner's rights, so that the role needs none on them. Run it
    again after a migration, which may bring tables.

    Raises:
        LookupError: the role owns the trail and could give itself every right, or may do everything anyway.
        psycopg.errors.UndefinedObject: there is no such role.
    """
    owner = connection.execute(
        """
        select exists (select from pg_roles where rolname = %(role)s and rolsuper)
            or pg_has_role(%(role)s, (select relowner from pg_class where oid = 'audit'::regclass), 'MEMBER')
        """,
        {"role": role},
    ).fetchone()
    if owner is None or owner[0]:
        raise LookupError(f"{role} owns the tables or is a superuser: no right that is taken away would bind it")
    name = sql.Identifier(role)
    for statement in (
        "grant usage on schema public to {}",
        "grant select, insert, update, delete on all tables in schema public to {}",
        "grant usage on schema limited to {}",
        "grant select, insert, update, delete on all tables in schema limited to {}",
        "grant usage, select on all sequences in schema public to {}",
        "grant execute on all functions in schema public to {}",
        "revoke update, delete, truncate on audit, audit_checkpoint from {}",
    ):
        connection.execute(sql.SQL(statement).format(name))
    for table in _CHAIN:
        connection.execute(
            sql.SQL("revoke insert, update, delete, truncate on {} from {}").format(sql.Identifier(table), name)
        )
