"""What continuous integration runs."""
