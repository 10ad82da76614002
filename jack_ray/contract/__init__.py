"""What crosses the process walls: values, files and errors. Standard library only."""
