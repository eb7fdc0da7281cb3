"""The pages: as files, their scripts in node, and both in a browser."""
