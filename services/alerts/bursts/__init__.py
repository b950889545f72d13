"""Bursts found and placed within minutes, with a network's model, its pressures and the meters between its parts."""
