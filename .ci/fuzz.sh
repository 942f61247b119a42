#!/usr/bin/env bash
# Runs every fuzz target for a fixed number of inputs, from the committed seeds. About two minutes, when built.
set -euo pipefail
cd "$(dirname "$0")/.."

. .ci/packages.sh
need cc gcc /usr/include/stdio.h libc6-dev c++ g++
command -v cargo-fuzz >/dev/null || { echo "+ cargo install cargo-fuzz"; cargo install --locked cargo-fuzz; }

# The sanitisers' flags are a nightly compiler's; any other takes them when told to.
toolchain=$(rustup toolchain list 2>/dev/null | grep -o '^nightly[^ ]*' | head -1 || true)
if [ -n "$toolchain" ]; then
    export RUSTUP_TOOLCHAIN="$toolchain"
else
    export RUSTC_BOOTSTRAP=1
fi
echo "+ $(rustc --version)${RUSTC_BOOTSTRAP:+ with RUSTC_BOOTSTRAP}"

found=$(mktemp -d)
trap 'rm -rf "$found"' EXIT
run() {
    local target=$1 runs=$2
    # What it finds to be new goes there, and not into the seeds.
    mkdir -p "$found/$target"
    (set -x; cargo fuzz run --fuzz-dir fuzz "$target" "$found/$target" "fuzz/seeds/$target" -- \
        -runs="$runs" -seed=1 -max_len=4096 -timeout=10 -verbosity=0 -print_final_stats=1) 2>&1 |
        grep -v '^warning: unused' | sed "s/^/$target: /"
}
run decode 300000
run differential 200000
run error_body 80000
run retry_after 800000
run base_url 300000
run user_id 200000
run response 40000
