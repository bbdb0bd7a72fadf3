"""Support for jobs, machines and clusters."""
