"""Measurements: each a module to run by itself, from the project's root."""
