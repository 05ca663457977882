# What is done often. `just` alone lists it.
default:
    @just --list

# Format, lints, and every test that needs no server
check:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings
    cargo test --workspace

# Everything that has to pass, with real servers
ci:
    .ci/run

# The whole pipeline in one process
demo *ARGS:
    cargo run --release -- {{ARGS}}

up *ARGS:
    docker compose up -d {{ARGS}}

down *ARGS:
    docker compose down {{ARGS}}

# Write dashboards/ufo.ndjson anew from its sources
dashboards:
    cargo run -p dashboards -- export dashboards/ufo.ndjson

# The fault tests that take long, with servers of their own: UFO_SERVERS, UFO_ELASTICSEARCH and AWS_* have to be set
faults SEED="2026" ROWS="1000000" KILLS="200":
    UFO_SEED={{SEED}} UFO_FAULTS_ROWS={{ROWS}} UFO_FAULTS_KILLS={{KILLS}} cargo test --release -p pipeline-tests --test it -- --ignored --nocapture

# What a row costs in the pure functions, in instructions: valgrind has to be there
instructions *ARGS:
    cargo run --release -p benches -- {{ARGS}}

# The client's limits, and what exactly-once costs: UFO_BROKERS has to be set
bench:
    cargo run --release -p kafka --example limits
    cargo run --release -p kafka --example exactly_once_cost
