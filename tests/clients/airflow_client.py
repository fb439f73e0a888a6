"""Airflow's own hook and operator of Druid, without scheduler and database, through the gate.

Connections are variables of the environment. A line is printed for each thing done, after what Airflow logs of it.
"""

import json
import sys

from airflow.exceptions import AirflowException
from airflow.providers.apache.druid.hooks.druid import DruidDbApiHook, IngestionType
from airflow.providers.apache.druid.operators.druid import DruidOperator

[datasource] = sys.argv[1:]


def run(task_id, connection, spec, **options):
    """Executes an operator as a worker does, and says what came of it."""
    operator = DruidOperator(
        task_id=task_id,
        json_index_file=json.dumps(spec),
        druid_ingest_conn_id=connection,
        # A bundle of CAs is only looked at where this is off.
        verify_ssl=False,
        **options,
    )
    try:
        operator.execute({})
        said = "done"
    except AirflowException as error:
        said = str(error)
    print(f"{task_id}: {said}", flush=True)


native = {
    "type": "index_parallel",
    "spec": {
        "dataSchema": {
            "dataSource": datasource,
            "timestampSpec": {"column": "t", "format": "iso"},
            "dimensionsSpec": {"dimensions": ["page"]},
            "granularitySpec": {"segmentGranularity": "day", "rollup": False},
        },
        "ioConfig": {
            "type": "index_parallel",
            "inputSource": {"type": "inline", "data": '{"t": "2024-05-01T00:00:00Z", "page": "by a task"}'},
            "inputFormat": {"type": "json"},
        },
    },
}
msq = {
    "query": f"REPLACE INTO \"{datasource}\" OVERWRITE ALL SELECT __time, page FROM wiki PARTITIONED BY DAY",
    "context": {"maxNumTasks": 2},
}
endless = {"type": "noop", "dataSource": datasource, "runTime": 600000}

run("native", "loader", native)
run("sql", "loader", msq, ingestion_type=IngestionType.MSQ)
run("native_refused", "reader", native)
run("sql_refused", "reader", msq, ingestion_type=IngestionType.MSQ)
run("killed", "loader", endless, max_ingestion_time=1)

broker = DruidDbApiHook(druid_broker_conn_id="queries")
print("records:", broker.get_first("SELECT COUNT(*) > 0 FROM wiki WHERE page = 'Druid'")[0])
try:
    broker.get_records(f"SELECT * FROM \"{datasource}\"")
except Exception as denied:
    print("records refused:", type(denied).__name__, denied)
