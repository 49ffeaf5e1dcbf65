"""Users and tokens get a scope, passwords can have to be changed, failed sign-ins are remembered, and
a mine can change the policy."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("users", sa.Column("scope", sa.Text, nullable=True))
    op.add_column("users", sa.Column("must_change", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("tokens", sa.Column("scope", sa.Text, nullable=True))
    op.add_column("tokens", sa.Column("maker", sa.String(40), nullable=True))
    op.create_table(
        "sign_in_failures",
        sa.Column("user", sa.String(80), primary_key=True),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("last", sa.BigInteger, nullable=False),
        sa.Column("locked_until", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "policies",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("author", sa.String(80), nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
    )
