"""End-to-end encryption on vodozemac, without network access of its own."""
