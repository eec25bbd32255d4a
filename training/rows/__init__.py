"""What is learnt from: complaints checked, deduplicated, split by time, and what was in them kept for the next training."""
