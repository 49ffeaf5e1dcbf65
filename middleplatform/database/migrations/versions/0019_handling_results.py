"""What came of what was done about a raise."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    op.add_column("alarm_handlings", sa.Column("result", sa.String(500), nullable=True))
