#!/usr/bin/env bash
# What Debian 12 does not have: Swift, and a Java with java.lang.foreign. In a tree of Debian 13 the packages are built,
# and their tests, Swift's command with the table of command lines, and the commands of docs/swift.md and docs/java.md
# are run. Nothing is skipped. Needs root.
#
# The tree is made once, in FISH_TREES or target/trees.
set -euo pipefail
cd "$(dirname "$0")/.."
project=$PWD
PATH=$PATH:${CARGO_HOME:-${HOME:-/root}/.cargo}/bin

root=$(realpath -m "${FISH_TREES:-target/trees}/swift-java")
. .ci/tree
need cc gcc /usr/include/stdio.h libc6-dev

# Where Cargo built, by the same paths: its tests find what they need beside them.
rustup_home=$(rustc --print sysroot)
trixie() {
  in_tree "$root" --bind "$project" --bind "$rustup_home" PATH="$rustup_home/bin:$tree_path" "$@"
}

tree trixie "$root" swiftlang openjdk-25-jdk-headless libc6-dev libstdc++-14-dev gcc g++ cmake make pkgconf
# Debian keeps the libraries of Swift programs where the loader does not look.
echo /usr/libexec/swift/lib/swift/linux >"$root/etc/ld.so.conf.d/swift.conf"
trixie ldconfig
trixie swift --version
trixie javac --version

echo "+ cargo test --no-run"
cargo build --examples
executable() {
  cargo test --no-run --test "$1" --message-format=json |
    sed -n 's/.*"executable":"\([^"]*\)".*/\1/p' | grep "/$1-" | tail -n 1
}
languages=$(executable languages) table=$(executable commands) pages=$(executable page_commands)
environment=(FISH_CI=1 FISH_TRIXIE=1 CARGO_TARGET_DIR="$project/target")
echo "+ the packages' own tests, and their programs"
trixie "${environment[@]}" "$languages" --exact --nocapture --test-threads=1 swift java the_program_of_java_md the_program_of_swift_md
echo "+ the table of command lines"
trixie "${environment[@]}" "$table" --exact --nocapture swift
for page in docs/swift.md docs/java.md; do
  echo "+ the commands of $page"
  trixie "${environment[@]}" FISH_PAGE=$page "$pages" --exact --nocapture every_command_of_every_page_runs_as_it_stands
done
echo "trixie: all passed"
