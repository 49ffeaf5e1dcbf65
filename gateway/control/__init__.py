"""Commands at the edge: who may, whether it may be done now, and why it was done or not."""
