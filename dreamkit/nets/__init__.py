"""The embedded networks: their architecture (`dreamnet`) and their training (`train`)."""
