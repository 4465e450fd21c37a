"""The bundle: what training makes and prediction needs, and artifacts that were fitted elsewhere."""
