"""The commands of salur-training, a module for what loads the same libraries: see `training.cli`."""
