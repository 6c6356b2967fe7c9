"""PostgreSQL, the truth.  The only package that writes SQL.

Every function takes the open transaction as its first argument and never
commits; who calls decides where a transaction begins and ends.
"""
