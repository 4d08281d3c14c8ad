"""From records to verdicts: derived metrics, effects with intervals, rules, the scorecard."""
