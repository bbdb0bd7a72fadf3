"""Frames as users have them: read, checked, chosen."""
