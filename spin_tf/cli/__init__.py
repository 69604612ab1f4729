"""Command-line entry points: flags and one call each."""
