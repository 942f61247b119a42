#!/usr/bin/env bash
# TLS, proxies and secrets: against real proxies, without the system's roots, and with the optimiser at work.
set -euo pipefail
cd "$(dirname "$0")/.."
export FISH_CI="${FISH_CI:-1}"

. .ci/packages.sh
need cc gcc /usr/include/stdio.h libc6-dev tinyproxy tinyproxy microsocks microsocks

# With the system's roots, the same tests are run by plain `cargo test`.
set -x
# A build without the system's roots refuses them with a sentence, and does all else.
cargo test --no-default-features --test tls
cargo tree --no-default-features -e normal | (! grep -q platform-verifier)
# What the optimiser makes of wiping the key.
cargo test --release --test secrets memory
# What a hostile server can make a call spend, without the slowness of a debug build.
cargo test --release --test limits
