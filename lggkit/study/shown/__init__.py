"""What a notebook shows of records: metrics at a scale, tables of cells, claims and arms."""
