"""The report: one page of what a verification found, for people who were not there. Draws; decides nothing."""
