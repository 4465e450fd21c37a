"""What the tables call the workloads."""

TITLES = {
    "logistic": "logistic regression, 22 classes",
    "forest": "forest of 100 deep trees, 22 classes",
    "hgb": "hist gradient boosting, 22 classes, 1,100 trees",
    "logistic_binary": "logistic regression, 2 classes",
    "forest_binary": "forest of 100 deep trees, 2 classes",
    "hgb_binary": "hist gradient boosting, 2 classes, 50 trees",
    "lineitem_logistic": "TPC-H lineitem, logistic regression",
    "lineitem_forest": "TPC-H lineitem, forest of 100 deep trees",
    "lineitem_hgb": "TPC-H lineitem, hist gradient boosting",
    "files": "logistic regression, 1,000 files of 1,000 rows",
    "tiny": "logistic regression, one small file",
    "proba": "logistic regression with 22 probabilities",
    "knn": "nearest neighbours of 2,000 rows",
}
