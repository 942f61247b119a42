#!/usr/bin/env bash
# The supply chain: what the library is made of, under which licences, and that the same source gives the same
# bytes.
set -euo pipefail
cd "$(dirname "$0")/.."

. .ci/packages.sh
need cc gcc /usr/include/stdio.h libc6-dev git git

# ---- Dependencies: licences, duplicates, sources, advisories -------------------------------------------------
cargo_deny_version=0.20.2
tools=${FISH_CI_TOOLS:-$PWD/target/ci-tools}
export PATH=$tools/bin:$PATH
if ! cargo deny --version 2>/dev/null | grep -qx "cargo-deny $cargo_deny_version"; then
  echo "+ cargo install cargo-deny $cargo_deny_version"
  cargo install --quiet --locked --no-default-features --root "$tools" cargo-deny@$cargo_deny_version
fi
echo "+ cargo deny check bans licenses sources"
cargo deny --locked --config .ci/deny.toml check bans licenses sources

# The advisory database is a git repository on GitHub; without the network there is none to ask.
echo "+ cargo deny check advisories"
if cargo deny --locked --config .ci/deny.toml fetch db >/dev/null 2>&1; then
  cargo deny --locked --config .ci/deny.toml check advisories
elif [ -n "${FISH_ADVISORIES:-}" ]; then
  echo "FISH_ADVISORIES is set, and the advisory database cannot be reached" >&2
  exit 1
else
  echo "NOT CHECKED: advisories (github.com cannot be reached; set FISH_ADVISORIES=1 where it must be)"
fi

# What the registry itself has taken back, cargo says when it packs the sources, without that database.
echo "+ cargo package: no crate of Cargo.lock is yanked"
packed=$(cargo package --package fish-api-credit --locked --no-verify --allow-dirty --target-dir target/packed 2>&1) || {
  echo "$packed" >&2
  exit 1
}
if grep -i yanked <<<"$packed"; then
  exit 1
fi

# ---- The notice for those who ship the library --------------------------------------------------------------
echo "+ cargo test --test notice"
FISH_CI=1 cargo test --locked --test notice

# ---- The same source gives the same bytes -------------------------------------------------------------------
# Here, and in a folder with a space in its name under another home: what is compiled must not know the difference.
elsewhere=$(mktemp -d "${TMPDIR:-/tmp}/fish api credit.XXXXXX")
trap 'rm -rf "$elsewhere"' EXIT
mkdir "$elsewhere/source" "$elsewhere/cargo home"
git ls-files -z | xargs -0 tar -c | tar -x -C "$elsewhere/source"
ln -s "${CARGO_HOME:-$HOME/.cargo}/registry" "$elsewhere/cargo home/registry"

echo "+ packaging/build.sh, twice"
CARGO_TARGET_DIR=$PWD/target/shipped packaging/build.sh
CARGO_TARGET_DIR=$elsewhere/built CARGO_HOME="$elsewhere/cargo home" "$elsewhere/source/packaging/build.sh"

for library in libfish_api_credit.so libfish_api_credit.a; do
  cmp "target/shipped/release/$library" "$elsewhere/built/release/$library"
  for folder in "$PWD" "$elsewhere" "${CARGO_HOME:-$HOME/.cargo}" "$(rustc --print sysroot)" "$HOME/"; do
    if grep -aqF -- "$folder" "target/shipped/release/$library"; then
      echo "$library has the path $folder in it" >&2
      exit 1
    fi
  done
  sha256sum "target/shipped/release/$library"
done
echo "the same bytes twice, and no path of this machine in them"
