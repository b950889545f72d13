"""Models: what detectors were taught, as numbered versions."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

MODELS = """
-- What a rule's detector was taught about a sensor or a zone. Rows are added and change their state; nothing is
-- overwritten, so that a finding can name the model behind it for as long as the finding is kept.
create table detector_model (
    rule text not null,
    target text not null,
    version integer not null check (version > 0),
    zone text not null,
    state text not null check (state in ('candidate', 'active', 'retired')),
    detector text not null,
    detector_version text not null,
    configuration text not null,
    code_version text not null,
    trained_from timestamptz not null,
    trained_until timestamptz not null,
    held_back_until timestamptz not null,
    fingerprint text not null,
    parameters jsonb not null,
    scores jsonb not null,
    predecessor jsonb,
    reason_en text,
    reason_zh text,
    created_at timestamptz not null default now(),
    promoted_at timestamptz,
    primary key (rule, target, version),
    check (trained_from < trained_until and trained_until <= held_back_until)
);
create unique index detector_model_in_use on detector_model (rule, target) where state = 'active';
"""


def upgrade() -> None:
    """Add a table; detectors go on with what they know."""
    op.get_bind().exec_driver_sql(MODELS)
