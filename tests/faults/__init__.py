"""The fault harness: a real server and the real command line, and what goes wrong around them.

`make faults` runs every case and prints one table; each module is a case. docs/reliability.md has the table
of a whole run; tests/test_faults.py runs a small sample of each.
"""
