"""The config: one JSON file, read, checked and turned into one frozen value."""

from scoreline.config.loading import load_config
from scoreline.config.models import EvaluateConfig, JobConfig, LoggingConfig, PredictConfig, TrainConfig

__all__ = ["EvaluateConfig", "JobConfig", "LoggingConfig", "PredictConfig", "TrainConfig", "load_config"]
