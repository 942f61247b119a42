#!/bin/bash
# The event under a model checker, loom: raise, wait, clear and free in every order that threads can take.
set -euo pipefail
cd "$(dirname "$0")/.."

set -x
RUSTFLAGS="--cfg loom" cargo test --release --lib --target-dir target/loom event::model
