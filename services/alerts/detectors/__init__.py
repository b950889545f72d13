"""Detectors: algorithms that score values and know no lifeline."""
