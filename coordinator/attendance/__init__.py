"""The regions on the line: nodes dial in, the desk never dials out."""
