"""Read-only SQL for analysts: what a statement may hold, and how it is turned onto views of what its asker sees."""
