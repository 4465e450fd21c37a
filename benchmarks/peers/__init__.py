"""Peers of `scoreline predict`: each a small script that runs in an environment of its own."""
