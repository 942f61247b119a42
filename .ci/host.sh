#!/bin/bash
# The host programs of tests/host.rs in their long forms: a thousand loads against the release library, then under
# valgrind's memcheck, AddressSanitizer with leak checking, and ThreadSanitizer.
set -euo pipefail
cd "$(dirname "$0")/.."

. .ci/packages.sh
# What clang's AddressSanitizer links besides the runtime comes with clang only where apt installs what is recommended.
need cc gcc /usr/include/stdio.h libc6-dev clang clang valgrind valgrind \
  '/usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.asan_static-*.a' libclang-rt-14-dev \
  /usr/bin/cargo cargo-web /usr/bin/rustc rustc-web /usr/lib/rustlib/src/rust/library rust-web-src

export FISH_CI=1
target=$(rustc -vV | sed -n 's/^host: //p')

echo "== a thousand loads, hundreds of forks, the stack, against the release library"
# A child that hangs is killed by its alarm; a busy machine is no hang.
(set -x; FISH_HOST_PATIENCE=4 cargo test --release --test host -- --nocapture --test-threads=2)

echo "== memcheck: no error, nothing definitely lost, no suppression"
# ChaCha20, because valgrind takes the tags that ring's AES-GCM assembly makes for uninitialised.
export FISH_HOST_NO_AES=1 FISH_HOST_PATIENCE=30
memcheck="valgrind -q --error-exitcode=9"
(set -x; FISH_HOST_ROUNDS=3 \
  FISH_HOST_RUNNER="$memcheck --leak-check=full --show-leak-kinds=definite,indirect --errors-for-leak-kinds=definite,indirect" \
  cargo test --test host -- --nocapture --test-threads=2 --skip fork --skip small_stack)
# In a forked child, what the parent's other threads had allocated is lost by nature: errors only.
(set -x; FISH_HOST_ROUNDS=3 FISH_HOST_RUNNER="$memcheck --leak-check=no" \
  cargo test --test host -- --nocapture fork)
unset FISH_HOST_NO_AES

echo "== memcheck with AES-GCM, under the suppressions that hosts are given: the libraries as they are shipped"
# .ci/obs.sh and .ci/supply.sh use the same build.
CARGO_TARGET_DIR=$PWD/target/shipped packaging/build.sh
(set -x; FISH_HOST_ROUNDS=1 FISH_HOST_LIBRARY=target/shipped/release \
  FISH_HOST_RUNNER="$memcheck --leak-check=no --suppressions=$PWD/packaging/valgrind.supp" \
  cargo test --test host -- --nocapture eight)
unset FISH_HOST_PATIENCE

# The programs and the library are instrumented, and run on the runtime that rustc brings. The flag is a nightly
# compiler's; any takes it when told to.
runtime=$(rustc --print sysroot)/lib/rustlib/$target/lib
sanitized() { # sanitizer, short name, cargo and its options...
  local sanitizer=$1 name=$2
  shift 2
  (set -x; FISH_HOST_CC=clang FISH_HOST_PATIENCE=10 FISH_HOST_ROUNDS=10 \
    FISH_HOST_CFLAGS="-fsanitize=$sanitizer -fno-sanitize-link-runtime" \
    FISH_HOST_LDFLAGS="-Wl,--whole-archive $(echo "$runtime"/librustc-*_rt."$name".a) -Wl,--no-whole-archive -lstdc++ -lrt -lm -lresolv" \
    "$@")
}

echo "== AddressSanitizer, with leak checking"
# The stack is deeper there, and the sanitizer exports functions of its own: two tests that are not for it.
export ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1
sanitized address asan env RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Zsanitizer=address \
  cargo test --target "$target" --target-dir target/asan --test host -- \
  --nocapture --test-threads=2 --skip small_stack --skip exports

echo "== ThreadSanitizer"
# It must see the standard library's atomics too, so std is built with it, from the sources in Debian's rust-web-src.
tsan=target/tsan/$target/debug
(set -x; RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Zsanitizer=thread PATH=/usr/bin:/bin /usr/bin/cargo build --lib \
  -Zbuild-std=std,panic_unwind --target "$target" --target-dir target/tsan)
sanitized thread tsan env FISH_HOST_LIBRARY="$tsan" TSAN_OPTIONS=halt_on_error=1 \
  cargo test --test host -- --nocapture eight
