"""What tables are made of: columns of the kinds the schema knows, and tables that belong to a company."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, ForeignKey, LargeBinary, MetaData, SmallInteger, Table, Text
from sqlalchemy import text as sql
from sqlalchemy.schema import SchemaItem

METADATA = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)


TEXT = Text().with_variant(Text(collation="C"), "postgresql")
"""Text in the order of its code points, on every database."""


def text(name: str, *, nullable: bool = False) -> Column[str]:
    return Column(name, TEXT, nullable=nullable)


def instant(name: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, BigInteger, nullable=nullable)


def revision(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


def flag(name: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, SmallInteger, nullable=nullable)


def octets(name: str) -> Column[bytes]:
    return Column(name, LargeBinary, nullable=False)


def table(name: str, *items: SchemaItem, **more: Any) -> None:
    """A table whose rows belong to a company. `more` is for one kind of database, as Table takes it."""
    Table(name, METADATA, Column("company", TEXT, ForeignKey("company.id"), nullable=False), *items, **more)


def where(condition: str) -> dict[str, Any]:  # by keyword to Index, which takes others too
    """An index of the rows that fulfil it."""
    return {"sqlite_where": sql(condition), "postgresql_where": sql(condition)}
