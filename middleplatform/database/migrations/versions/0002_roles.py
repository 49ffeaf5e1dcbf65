"""The roles get the names of their trades: `reader` becomes `analyst`, `admin` becomes `administrator`."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

NEW = {"reader": "analyst", "admin": "administrator"}


def upgrade() -> None:
    for name in ("users", "tokens"):
        with op.batch_alter_table(name) as batch:
            batch.alter_column("role", type_=sa.String(20), existing_type=sa.String(10), existing_nullable=False)
        table = sa.table(name, sa.column("role", sa.String))
        for old, new in NEW.items():
            op.execute(table.update().where(table.c.role == old).values(role=new))
