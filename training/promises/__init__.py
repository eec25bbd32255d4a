"""What a model may send by itself, and with what promise: exact tests, or what a desk's dated verdicts allow."""
