"""`web_fetch`: reads public web addresses."""
