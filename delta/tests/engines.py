#!/usr/bin/env python3
"""Opens tables of this crate with deltalake, pyarrow and DuckDB: engines.py LAKE EXPECTED_JSON.

LAKE is a folder or s3://bucket/prefix (endpoint and credentials by AWS_*; UFO_S3_ENDPOINT will do). With "append" in
EXPECTED_JSON it also appends three rows. Packages: pip install deltalake duckdb pyarrow.
"""

import datetime
import json
import os
import sys

try:
    import deltalake
    import duckdb
    import pyarrow as pa
    import pyarrow.compute as pc
except ImportError as missing:
    print(f"SKIPPED with other engines: {missing}: pip install deltalake duckdb pyarrow")
    sys.exit(0)

UTC = datetime.timezone.utc


def options(lake):
    if not lake.startswith("s3://"):
        return None
    return {
        "AWS_ENDPOINT_URL": os.environ.get("AWS_ENDPOINT_URL", os.environ.get("UFO_S3_ENDPOINT", "")),
        "AWS_ACCESS_KEY_ID": os.environ.get("AWS_ACCESS_KEY_ID", "stackadmin"),
        "AWS_SECRET_ACCESS_KEY": os.environ.get("AWS_SECRET_ACCESS_KEY", "stackadmin-secret"),
        "AWS_REGION": os.environ.get("AWS_REGION", "us-east-1"),
        "AWS_ALLOW_HTTP": "true",
        "conditional_put": "etag",
    }


def table(lake, name):
    return deltalake.DeltaTable(f"{lake}/{name}", storage_options=options(lake))


def equal(found, expected, what):
    if found != expected:
        sys.exit(f"{what}: found {found!r}, expected {expected!r}")


def sightings(lake, expected):
    delta = table(lake, "silver/sightings")
    equal(delta.version(), expected["version"], "version")
    equal(len(delta.file_uris()), expected["files"], "files")
    for app_id, version in expected["transactions"].items():
        equal(delta.transaction_version(app_id), version, app_id)
    equal(delta.metadata().partition_columns, ["year"], "partition columns")
    equal([field.name for field in delta.schema().fields], ["n", "at", "place", "year", "mood"], "columns")

    rows = delta.to_pyarrow_table()
    n = expected["rows"]
    equal(sorted(rows["n"].to_pylist()), list(range(n)), "rows")
    equal(rows["at"].null_count, len(range(0, n, 7)), "rows without a time")
    equal(rows["place"].null_count, len(range(0, n, 5)), "rows without a place")
    equal(rows["mood"].null_count, n // 2 + n // 4, "rows without a mood")
    # Another engine on top of the same rows.
    sums = duckdb.connect().execute(
        'SELECT "year", count(*), sum(n), epoch_us(max("at")) FROM rows GROUP BY ALL ORDER BY "year" NULLS FIRST'
    ).fetchall()
    equal([row[:2] for row in sums], [(None, n // 3), (1948, n // 3), (1949, n // 3)], "DuckDB by year")
    equal(sum(row[2] for row in sums), n * (n - 1) // 2, "DuckDB's sum")
    last = n - 1 if (n - 1) % 7 else n - 2
    moment = datetime.datetime(1947, 1, 1, tzinfo=UTC) + datetime.timedelta(hours=last, microseconds=1)
    since_1970 = moment - datetime.datetime(1970, 1, 1, tzinfo=UTC)
    equal(max(row[3] for row in sums), since_1970 // datetime.timedelta(microseconds=1), "DuckDB's last time")

    # Files are passed over by their statistics: what is left must be all that matches.
    dataset = delta.to_pyarrow_dataset()
    for condition, count in [
        (pc.field("n") >= n - 5, 5),
        (pc.field("at") == moment, 1),
        (pc.field("at") > moment, 0),
        (pc.field("place") == "a place with a rather long name, number 7", n // 30),
        (pc.field("place") > "a place with a rather long name, number 8", n // 30),
        (pc.field("year") == 1948, n // 3),
        (pc.field("mood") == "calm", n // 4),
    ]:
        equal(dataset.to_table(filter=condition).num_rows, count, str(condition))
    adds = pa.table(delta.get_add_actions(flatten=True))
    equal(sum(adds["num_records"].to_pylist()), n, "rows by statistics")
    equal(min(adds["min.n"].to_pylist()), 0, "smallest n by statistics")
    equal(max(adds["max.n"].to_pylist()), n - 1, "largest n by statistics")
    delta.history()
    return delta


def types(lake):
    rows = table(lake, "types").to_pyarrow_table()
    equal(rows.num_rows, 3, "rows of all types")
    for name in rows.column_names:
        equal(rows[name][1].as_py(), None, f"null of {name}")
    equal(rows["text"].to_pylist(), ["é\U0010ffff", None, ""], "text")
    equal(rows["code"].to_pylist(), ["x", None, "x"], "dictionary")
    equal(rows["long"].to_pylist(), [-(2**63), None, 2**63 - 1], "long")
    equal(str(rows["price"][0].as_py()), "123.45", "decimal")
    equal(rows["list"].to_pylist(), [["a", None], None, []], "list")
    equal(rows["on"][0].as_py(), datetime.date(1970, 1, 1) - datetime.timedelta(days=8000), "date")
    equal(rows["bytes"].to_pylist(), [b"\x00\xff", None, b""], "binary")
    equal(rows["at"][0].as_py(), datetime.datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC), "timestamp")


def places(lake):
    rows = table(lake, "places").to_pyarrow_table()
    found = dict(zip(rows["n"].to_pylist(), rows["place"].to_pylist()))
    equal(found, {0: "St. Louis/é 100%", 1: "a=b", 2: "日本"}, "strange partition values")


def append(lake, delta):
    fields = [
        pa.field("n", pa.int64(), nullable=False),
        pa.field("at", pa.timestamp("us", "UTC")),
        pa.field("place", pa.string()),
        pa.field("year", pa.int32()),
        pa.field("mood", pa.string()),
    ]
    columns = [[-1, -2, -3], [None] * 3, ["x", "y", None], [1948, None, 1950], [None] * 3]
    arrays = [pa.array(values, field.type) for values, field in zip(columns, fields)]
    deltalake.write_deltalake(delta, pa.Table.from_arrays(arrays, schema=pa.schema(fields)), mode="append")
    table(lake, "silver/sightings").create_checkpoint()
    print("appended")


def main():
    lake, expected = sys.argv[1], json.loads(sys.argv[2])
    delta = sightings(lake, expected)
    types(lake)
    places(lake)
    print(f"deltalake {deltalake.__version__}, pyarrow {pa.__version__}, DuckDB {duckdb.__version__} read the tables")
    if expected.get("append"):
        append(lake, delta)
    # The libraries' own threads now and then abort the process while Python takes itself apart.
    sys.stdout.flush()
    os._exit(0)


main()
