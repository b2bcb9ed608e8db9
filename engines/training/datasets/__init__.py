"""Small worlds whose factors are known, drawn by the project itself."""
