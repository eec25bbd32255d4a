"""The other pages: signing in, trying out, history, statistics, audit, agencies, people and the log."""
