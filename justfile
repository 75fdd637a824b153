# Short names for the commands of this repository. It only calls; logic is in the binary and in tests/run.

# A complete system with synthetic patients, for working on pages.
dev:
    cargo run -- demo

# The rules alone: seconds.
rules:
    cargo test -p tend-engine

# Every test, without the other checks.
test *ARGS:
    cargo test --workspace {{ARGS}}

# All that continuous integration runs.
ci:
    tests/run

# The same with the long kill rounds.
long:
    tests/run --long
