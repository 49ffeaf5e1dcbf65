"""Credentials with which users hear the bus."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "bus_keys",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("user", sa.String(40), nullable=False),
        sa.Column("public", sa.String(60), nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("expires", sa.BigInteger, nullable=False),
        sa.Column("revoked", sa.BigInteger, nullable=True),
        sa.UniqueConstraint("public", name="uq_bus_keys_public"),
    )
    op.create_index("ix_bus_keys_user", "bus_keys", ["user"])
