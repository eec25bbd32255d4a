"""The desk, where a person decides: the queue, one complaint, and what helps to decide it."""
