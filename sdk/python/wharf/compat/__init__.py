"""Plugins that were written for other programs, run unchanged as plugins of wharf."""
