"""What an operator sees of the process: whether it is well, its figures, its log."""
