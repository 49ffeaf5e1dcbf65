"""The longwall face: shearer, supports, conveyors and pumps, and how they depend on each other."""
