"""Versions of the site and of its parts."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "site_versions",
        sa.Column("mine", sa.String(12), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("digest", sa.String(32), nullable=False),
        sa.Column("number", sa.BigInteger, nullable=True),
        sa.Column("who", sa.String(80), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("note", sa.String(500), nullable=False),
        sa.Column("back_to", sa.BigInteger, nullable=True),
        sa.UniqueConstraint("mine", "number", name="uq_site_versions_mine"),
    )
    op.create_table(
        "site_parts",
        sa.Column("mine", sa.String(12), primary_key=True),
        sa.Column("kind", sa.String(12), primary_key=True),
        sa.Column("name", sa.String(140), primary_key=True),
        sa.Column("since", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("until", sa.Integer, nullable=True),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_index("ix_site_parts_since", "site_parts", ["mine", "since"])
    op.create_index("ix_site_parts_until", "site_parts", ["mine", "until"])
