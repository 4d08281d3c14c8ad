"""What is still to be measured, and the run through it: units, turns, context, networks kept, costs."""
