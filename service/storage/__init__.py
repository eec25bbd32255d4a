"""The database: its tables, the one way to it, SQLite or PostgreSQL, and its migrations."""
