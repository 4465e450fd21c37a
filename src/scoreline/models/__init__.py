"""Models: scikit-learn estimators by name. One file, one kind."""
