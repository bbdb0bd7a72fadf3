"""What jobs, machines and clusters need."""
