"""The verbs of a job. Stages never import one another; they meet in `scoreline.pipeline`."""
