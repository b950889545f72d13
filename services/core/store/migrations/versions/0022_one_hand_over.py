"""One hand-over between shifts: what crews left to one another joins what the centre's shifts did."""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Let a hand-over do without named people, carry the orders' ones over and drop their table."""
    for statement in (
        """
        alter table shift_handover alter column outgoing drop not null, alter column incoming drop not null,
            add constraint shift_handover_people_check check ((outgoing is null) = (incoming is null))
        """,
        # Of each post one waits at the most: the newest that nobody took, those before it count as taken back.
        """
        insert into shift_handover (id, organisation, role, open, note, offered_by, offered_at, confirmed_by,
            confirmed_at, withdrawn_at)
        select id, organisation, 'crew',
            jsonb_build_object('orders', jsonb_build_object('count', jsonb_array_length(standing), 'named', (
                select coalesce(jsonb_agg((line - 'order' - 'title') || jsonb_build_object('id', line->'order',
                    'title_en', line->'title'->'en', 'title_zh', line->'title'->'zh')), '[]')
                from jsonb_array_elements(standing) as listed (line)))),
            note, given_by, given_at, taken_by, taken_at,
            case when taken_at is null then coalesce(
                min(given_at) over (partition by organisation, taken_at is null order by given_at, id
                    rows between 1 following and 1 following),
                case when exists (select from shift_handover waiting where waiting.organisation = hand_over.organisation
                    and waiting.role = 'crew' and waiting.confirmed_at is null and waiting.withdrawn_at is null)
                then given_at end)
            end
        from hand_over
        """,
        "drop table hand_over",
    ):
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    """Make the table again, empty; what joined stays where it is, as nobody can say any more whose it was."""
    op.execute("delete from shift_handover where outgoing is null")
    op.execute(
        """
        alter table shift_handover drop constraint shift_handover_people_check,
            alter column outgoing set not null, alter column incoming set not null
        """
    )
    op.execute(
        """
        create table hand_over (
            id uuid primary key,
            organisation text not null references organisation,
            given_by text not null,
            given_at timestamptz not null,
            note text not null,
            standing jsonb not null,
            taken_by text,
            taken_at timestamptz,
            check (taken_by is distinct from given_by)
        )
        """
    )
    op.execute("create index hand_over_by_time on hand_over (given_at desc)")
