"""What `check` and `describe` share: from a name and a folder to a method's data settings."""
