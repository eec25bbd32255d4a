"""What every request passes, whoever asks and whatever for: shapes, problems, headers, streams."""
