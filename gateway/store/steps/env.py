"""How Alembic takes steps here: on the connection that `migration` gives it, within that transaction."""

from __future__ import annotations

from alembic import context

from gateway.store.schema import METADATA

given = context.config.attributes
context.configure(connection=given["connection"], target_metadata=METADATA, version_table=given["table"], transactional_ddl=False)
context.run_migrations()
