#!/usr/bin/env bash
# TLS, proxies and secrets: against real proxies, without the system's roots, and with the optimiser at work.
set -euo pipefail
cd "$(dirname "$0")/.."
export FISH_CI="${FISH_CI:-1}"

missing=()
for program in tinyproxy microsocks; do
    command -v "$program" >/dev/null || missing+=("$program")
done
if [ ${#missing[@]} -gt 0 ]; then
    echo "+ apt-get install ${missing[*]}"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
fi

# With the system's roots, the same tests are run by plain `cargo test`.
set -x
# A build without the system's roots refuses them with a sentence, and does all else.
cargo test --no-default-features --test tls
cargo tree --no-default-features -e normal | (! grep -q platform-verifier)
# What the optimiser makes of wiping the key.
cargo test --release --test secrets memory
