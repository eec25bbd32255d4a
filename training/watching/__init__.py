"""What to look at: labels that are probably wrong, what to label next, and whether complaints have changed."""
