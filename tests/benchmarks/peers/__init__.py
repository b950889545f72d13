"""Other ways to bring readings from a broker into PostgreSQL, which the ingest process is measured beside."""
