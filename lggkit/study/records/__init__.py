"""The ledger of records and of trainings: its files, lines and aliases, and what a record says in words."""
