"""Making it few: what stands and is told to nobody, because a person or another alert says why."""
