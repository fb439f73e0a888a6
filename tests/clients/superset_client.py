"""Superset's own database and engine spec of Druid through the gate: prints what it is told, a line each.

The database is as a person fills it in, by URI, certificate and extra, but is not saved: Superset's own database has no
tables here.
"""

import datetime
import sys

from superset.app import create_app

address, ca, extra = sys.argv[1:]


def ask(database, statement):
    """As SQL Lab: by the engine spec, and its reading of what went wrong."""
    spec = database.db_engine_spec
    try:
        return database.get_df(statement, schema="druid")
    except Exception as error:
        print("denied:", spec.extract_error_message(error))
        return None


with create_app().app_context():
    from superset.models.core import Database
    from superset.sql.parse import Table

    database = Database(
        database_name="druid",
        sqlalchemy_uri=f"druid+https://{address}/druid/v2/sql/",
        server_cert=open(ca).read(),
        extra=extra,
    )
    spec = database.db_engine_spec
    print("spec:", spec.__name__)
    print("schemas:", *sorted(database.get_all_schema_names()))
    print("tables:", *sorted(table for table, *_ in database.get_all_table_names_in_schema(None, "druid")))
    print("columns:", *(f"{column['column_name']}:{column['type']}" for column in database.get_columns(Table("wiki"))))
    print("previewed:", len(ask(database, database.select_star(Table("wiki"), limit=3))))

    grains = spec.get_time_grain_expressions()
    for grain, expression in grains.items():
        moments = ask(database, f"SELECT {expression.replace('{col}', '__time')} AS moment FROM wiki LIMIT 1")
        if moments is not None and len(moments) == 1:
            print("grain:", grain)
    print("grains:", len(grains))

    moment = datetime.datetime(2024, 1, 2)
    for kind in ["TIMESTAMP", "DATE"]:
        since = spec.convert_dttm(kind, moment)
        counted = ask(database, f"SELECT COUNT(*) AS n FROM wiki WHERE __time >= {since} AND page = 'Chêne'")
        print("since:", kind, counted["n"][0] > 0)
    for expression in [spec.epoch_to_dttm(), spec.epoch_ms_to_dttm()]:
        counted = ask(database, f"SELECT COUNT(*) AS n FROM wiki WHERE __time > {expression.replace('{col}', '1000')}")
        print("epoch:", counted["n"][0] > 0)

    ask(database, "SELECT * FROM taxi")
    ask(database, "SELECT page FROM wiki WHERE page IN (SELECT zone FROM taxi)")
