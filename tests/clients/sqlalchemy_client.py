"""pydruid's dialect of SQLAlchemy, with a token, through the gate: prints what it is told, a line each."""

import sys

from sqlalchemy import MetaData, Table, create_engine, func, inspect, select, text
from sqlalchemy.exc import ProgrammingError, ResourceClosedError

address, ca, token = sys.argv[1:]
engine = create_engine(
    f"druid+https://{address}/druid/v2/sql/",
    connect_args={"jwt": token, "ssl_verify_cert": ca},
)
inspector = inspect(engine)
print("schemas:", *sorted(inspector.get_schema_names()))
print("tables:", *inspector.get_table_names(schema="druid"))
print("columns:", *(column["name"] for column in inspector.get_columns("wiki")))
try:
    print("of another:", inspector.get_columns("taxi"))
except ResourceClosedError:
    # Of no rows pydruid says no columns, which SQLAlchemy takes for no result at all.
    print("of another: none")

wiki = Table("wiki", MetaData(), autoload_with=engine)
print("reflected:", *(f"{column.name}:{column.type}" for column in wiki.columns))
with engine.connect() as connection:
    counted = select(wiki.c.channel, func.count().label("n")).where(wiki.c.page == "Druid").group_by(wiki.c.channel)
    for row in connection.execute(counted):
        print("row:", row.channel, row.n > 0)
    for statement in ["SELECT * FROM taxi", "INSERT INTO wiki SELECT * FROM wiki PARTITIONED BY DAY"]:
        try:
            connection.execute(text(statement)).fetchall()
        except ProgrammingError as denied:
            print("denied:", denied.orig)
