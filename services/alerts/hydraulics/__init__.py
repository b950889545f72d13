"""Hydraulic models of water networks, calibrated as they run, which tell where the water goes."""
