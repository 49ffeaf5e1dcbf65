"""Models of machines: each steps with a fixed dt and shows its values by point key."""
