"""How good the data is: what is known of each point by the hour, why it is not better, and a score of it."""
