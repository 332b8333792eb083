"""Processes of the catalogue, one module each. Services hold the transaction, write the audit and send the news."""
