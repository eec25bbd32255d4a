"""What was decided is told to other systems: read by them as a feed, or posted to them as webhooks."""
