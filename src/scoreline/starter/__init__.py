"""Configs to start from: the demo's, and one for data that were only looked at."""

from scoreline.starter.demo import demo_config
from scoreline.starter.first import FirstConfig, first_config
from scoreline.starter.text import config_text

__all__ = ["FirstConfig", "config_text", "demo_config", "first_config"]
