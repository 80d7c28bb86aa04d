"""One module per part of the round, each with `run(checks)`."""
