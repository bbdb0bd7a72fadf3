"""Provenance: one record per job, looked up by the content of its outputs."""
