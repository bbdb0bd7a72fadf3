"""Where each result comes from: a record for each job, found by the content of what it made."""
