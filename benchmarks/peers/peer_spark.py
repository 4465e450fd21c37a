"""Spark on local[workers]: a pandas UDF over batches of the features alone, the model loaded once a Python worker.

Needs a Java runtime: ``apt-get install default-jre-headless``.
"""

from __future__ import annotations

import os
import sys
import tempfile
from typing import TYPE_CHECKING

from benchmarks.peers.scoring import BATCH, Job, answers, job

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.sql import Column, SparkSession


def session(workers: int) -> SparkSession:
    """Arrow batches as large as the others', no web page, and memory that is enough for one machine."""
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master(f"local[{workers}]").config("spark.driver.memory", "4g")
    builder = builder.config("spark.sql.execution.arrow.maxRecordsPerBatch", BATCH)
    builder = builder.config("spark.ui.enabled", "false").config("spark.log.level", "ERROR")
    builder = builder.config("spark.sql.warehouse.dir", tempfile.mkdtemp())
    return builder.getOrCreate()


def answer(of: Job) -> Column:
    """The answers as one column; of probabilities a structure of them."""
    from pyspark.sql import functions as fn
    from pyspark.sql.types import DoubleType, StringType, StructField, StructType

    fields = [StructField(name, DoubleType()) for name in of.shares]
    kind = StructType([StructField("prediction", StringType()), *fields]) if of.proba else StringType()

    def predict(batches):  # type: ignore[no-untyped-def]  # Spark would read the annotation
        return (found(batch, of) for batch in batches)

    predict.__annotations__ = {"batches": "Iterator[pd.DataFrame]"}
    udf = fn.pandas_udf(predict, kind, functionType=fn.PandasUDFType.SCALAR_ITER)
    return udf(fn.struct(*of.features))


def found(batch: pd.DataFrame, of: Job) -> pd.DataFrame | pd.Series:
    """Spark gives text as objects with None for null; the fitted encoder knows NaN."""
    import pandas as pd

    texts = [name for name in batch if batch[name].dtype == object]
    features = batch.astype(dict.fromkeys(texts, "str"))
    columns = {name: column.to_pandas() for name, column in answers(features, of).items()}

    return pd.DataFrame(columns) if of.proba else columns["prediction"]


def main(of: Job) -> None:
    """Predict all files."""
    os.environ["PYSPARK_PYTHON"] = sys.executable
    spark = session(of.workers)
    rows = spark.read.parquet(of.source).select(*of.columns)
    kept = rows.select(*of.keep, answer(of).alias("prediction"))
    if of.proba:
        kept = kept.select(*of.keep, "prediction.*")
    kept.write.parquet(of.output)
    spark.stop()


if __name__ == "__main__":
    main(job())
