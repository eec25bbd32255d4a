"""The process that serves: gunicorn's configuration, and a worker that no slow caller holds up."""
