"""The study: what is to be measured, what was, and what of the papers holds.

From the ground up: ``entered`` (what ``data/paper`` says), ``records`` (the ledger), ``running`` (the queue),
``judging`` (verdicts), ``shown`` (tables of records), ``figures``, ``pages`` (computed parts of pages),
``publishing`` and ``book`` (notebooks and the built book), ``commands`` (the terminal). A notebook needs
``chapter`` alone, and its own figures.
"""
