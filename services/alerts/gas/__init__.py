"""Where methane beside the gas mains comes from. See README.md."""
