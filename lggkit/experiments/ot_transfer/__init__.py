"""Paper 3: representation transfer by optimal transport."""
