"""The books as of any day: what is open, what cash moved, what each measure was."""
