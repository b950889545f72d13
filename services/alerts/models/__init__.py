"""Models: what detectors are taught from history, tried on readings held back, and put into use."""
