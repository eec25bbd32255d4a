"""What training and service must agree on; reads files, never the web or a database."""
