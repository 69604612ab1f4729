"""Tests; they mirror spin_tf/."""
