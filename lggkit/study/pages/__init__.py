"""Parts of pages that are computed: what came out, every effect, benchmarks, the front page."""
