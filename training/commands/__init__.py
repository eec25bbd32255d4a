"""The commands of salur-training, one module for those that load the same libraries: see `training.cli`."""
