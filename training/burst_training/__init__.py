"""Training and judging the networks of burstd: see training/README.md."""
