"""Sequences of starts and stops: a run is a state machine whose every step is in the journal before it is taken."""
