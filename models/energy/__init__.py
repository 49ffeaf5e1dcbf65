"""Energy: what was used when, what it cost, the carbon behind it. Pure arithmetic over dated facts."""
