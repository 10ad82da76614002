"""A trained model in MLflow's registry: what is measured of it, its card, and what it needs elsewhere."""
