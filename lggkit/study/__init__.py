"""The study: what is to be measured, what was, and what of the papers holds."""
