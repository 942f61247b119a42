#!/usr/bin/env bash
# What Debian 12 does not have: Swift, and a Java with java.lang.foreign. A tree of Debian 13 is made, and in it the
# packages are built, their tests are run, and the commands of docs/swift.md and docs/java.md. Nothing is skipped.
# Needs root.
#
# The tree is target/trixie/root, or FISH_TRIXIE_TREE; it is made once. The mirror and the settings of the package
# clients are this machine's. Mounts and processes are in namespaces of their own: nothing of them is left, however this
# ends.
set -euo pipefail
cd "$(dirname "$0")/.."
project=$PWD
PATH=$PATH:${CARGO_HOME:-${HOME:-/root}/.cargo}/bin

release=trixie
root=$(realpath -m "${FISH_TRIXIE_TREE:-target/trixie/root}")
. .ci/packages.sh
need debootstrap debootstrap unshare util-linux cc gcc /usr/include/stdio.h libc6-dev

in_tree() {
  root=$root project=$project rustup_home=$rustup_home unshare --mount --pid --fork --kill-child bash -euc '
    # A mount of its own, as unshare in the tree wants its root to be.
    mount --bind "$root" "$root"
    mount -t proc proc "$root/proc"
    mount --rbind /dev "$root/dev"
    # Where Cargo built, by the same paths: its tests find what they need beside them.
    mkdir -p "$root$project" "$root$rustup_home"
    mount --bind "$project" "$root$project"
    mount --bind "$rustup_home" "$root$rustup_home"
    exec chroot "$root" env -i "$@"' - "${environment[@]}" "$@"
}

rustup_home=$(rustc --print sysroot)
environment=(HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive
  PATH="$rustup_home/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
while IFS= read -r variable; do
  environment+=("$variable=${!variable}")
done < <(compgen -e | grep -E -e '_(proxy|PROXY)$' -e 'CERT_(FILE|DIR)$' || true)

if [ ! -e "$root/made" ]; then
  rm -rf "$root"
  mkdir -p "$root"
  mirror=$(apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' |
    sed -n 's/^bookworm //p; s/^trixie //p' | head -n 1)
  [ -n "$mirror" ] || { echo "trixie: this machine's apt knows no mirror of Debian's" >&2; exit 1; }
  echo "+ debootstrap $release"
  debootstrap --variant=minbase --include=ca-certificates "$release" "$root" "$mirror" >"$root.log" ||
    { tail "$root.log" >&2; exit 1; }
  apt-config dump | grep -E '^Acquire::(Check-|https?::|Retries)' >"$root/etc/apt/apt.conf.d/90machine" || true
  for file in /etc/resolv.conf /etc/hosts /etc/ssl/certs /usr/local/share/ca-certificates; do
    [ -e "$file" ] || continue
    mkdir -p "$root${file%/*}"
    cp -rT "$(realpath "$file")" "$root$file"
  done
  echo "+ apt-get install swiftlang openjdk-25-jdk-headless"
  in_tree sh -euc 'apt-get update -qq
    apt-get install -qq -y --no-install-recommends \
      swiftlang openjdk-25-jdk-headless libc6-dev libstdc++-14-dev gcc g++ cmake make pkgconf >/dev/null
    apt-get clean
    # Debian keeps the libraries of Swift programs where the loader does not look.
    echo /usr/libexec/swift/lib/swift/linux >/etc/ld.so.conf.d/swift.conf
    ldconfig'
  touch "$root/made"
fi
in_tree swift --version
in_tree javac --version

echo "+ cargo test --no-run"
cargo build --examples
executable() {
  cargo test --no-run --test "$1" --message-format=json |
    sed -n 's/.*"executable":"\([^"]*\)".*/\1/p' | grep "/$1-" | tail -n 1
}
languages=$(executable languages) commands=$(executable page_commands)
environment+=(FISH_CI=1 FISH_TRIXIE=1 CARGO_TARGET_DIR="$project/target")
echo "+ the packages' own tests, and their programs"
in_tree "$languages" --exact --nocapture --test-threads=1 swift java the_program_of_java_md
for page in docs/swift.md docs/java.md; do
  echo "+ the commands of $page"
  in_tree env FISH_PAGE=$page "$commands" --exact --nocapture every_command_of_every_page_runs_as_it_stands
done
echo "trixie: all passed"
