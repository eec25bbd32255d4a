"""Who may do what, and who did: people, keys, the one gate, the trail of what was done."""
