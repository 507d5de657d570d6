"""How far the job and the store have come: `asOf`, and the metrics that say so."""
