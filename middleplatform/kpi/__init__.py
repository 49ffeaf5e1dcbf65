"""The figures of a mine out of its store: made day by day, kept with what they were made of, and explained."""
