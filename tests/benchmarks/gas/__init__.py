"""How leaks are found, told apart and placed in simulated towns."""
