"""A protocol from outside the tree."""
