"""Pictures of a simulated shift, for the documentation."""
