"""What is checked, one file for each kind of promise, each with its rules and their words on top."""
