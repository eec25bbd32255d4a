"""Answers by the million: in order, on many processes, and once each though it is stopped in between."""
