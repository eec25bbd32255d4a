"""The versions of the model: shown, put live, taken back, or run beside the live one."""
