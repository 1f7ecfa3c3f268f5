"""One file per third-party system; model libraries are imported here and nowhere else."""
