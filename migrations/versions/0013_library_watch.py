"""Remember how far the changes of a media root are watched"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("library_root") as batch:
        batch.add_column(sa.Column("watch", sa.JSON(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("library_root") as batch:
        batch.drop_column("watch")
