#!/usr/bin/env bash
# The Debian packages as their users meet them: lintian, and then a bare Debian 12 where they are installed, upgraded,
# used from a shell, by pkg-config and by CMake, and removed without a trace. Those for arm64 are looked at, and their
# command is run under qemu.
#
#   tests/packages/deb.sh RELEASE
#
# Needs root.
. "${BASH_SOURCE[0]%/*}/support"
need lintian lintian dpkg-deb dpkg cc gcc /usr/include/stdio.h libc6-dev cmake cmake make make dh debhelper \
  aarch64-linux-gnu-gcc gcc-aarch64-linux-gnu /usr/aarch64-linux-gnu/include/stdio.h libc6-dev-arm64-cross \
  qemu-aarch64 qemu-user
command_says='API credit         12.34 US dollars'

deb() { # deb PACKAGE ARCHITECTURE
  echo "$release/$1_${version/-/\~}_$2.deb"
}
same() { # same A B: what two commands print.
  diff <(echo "$1") <(echo "$2")
}
packages=(libfish-api-credit0 libfish-api-credit-dev fish-api-credit)
debs=()
for architecture in amd64 arm64; do
  for package in "${packages[@]}"; do
    debs+=("$(deb "$package" "$architecture")")
  done
done
same "$(printf '%s\n' "${debs[@]##*/}" | sort)" "$(cd "$release" && ls ./*.deb | sed 's,.*/,,' | sort)"

# ---- The files ------------------------------------------------------------------------------------------------
echo "+ lintian"
lintian --quiet --display-info --pedantic --display-experimental \
  --fail-on error,warning,info,pedantic,experimental "${debs[@]}"

for architecture in amd64 arm64; do
  [ $architecture = amd64 ] && cpu=x86_64 || cpu=aarch64
  root=$work/$architecture
  for package in "${packages[@]}"; do
    dpkg-deb -x "$(deb "$package" $architecture)" "$root"
  done
  # The libraries are those of the archive, whose checksums are published.
  archive=fish-api-credit-$version-$cpu-unknown-linux-gnu
  tar -C "$work" -xzf "$release/$archive.tar.gz" "$archive/lib"
  for file in libfish_api_credit.a "libfish_api_credit.so.$version"; do
    cmp "$work/$archive/lib/$file" "$root/usr/lib/$cpu-linux-gnu/$file"
  done
  same "libc6 (>= 2.17)" "$(dpkg-deb -f "$(deb libfish-api-credit0 $architecture)" Depends)"
  dpkg-deb -f "$(deb fish-api-credit $architecture)" Depends | grep -qF 'libfish-api-credit0 (>= '
  (cd "$root" && find . -type f -exec sha256sum {} +) | sort -k2 >"$work/$architecture.sums"
done
# What is not in a folder of its architecture must be the same for both, or they could not be installed together.
shared() { # shared ARCHITECTURE CPU
  grep -v -e "/$2-linux-gnu/" -e ' ./usr/bin/' "$work/$1.sums"
}
same "$(shared amd64 x86_64)" "$(shared arm64 aarch64)"

the_same_again packaging/deb.sh "${debs[@]##*/}"

# ---- In a bare system -----------------------------------------------------------------------------------------
start_sandbox
debian plain
cp -a "$tree" "$work/tree"
tree=$work/tree
mkdir "$tree/packages" "$tree/older"
cp "$release"/*_amd64.deb "$tree/packages"
# What an upgrade begins with: the same packages under an older version.
for file in "$tree"/packages/*.deb; do
  dpkg-deb -R "$file" "$work/older"
  sed -i -E 's/^Version: .*/Version: 0.0.1/; s/(libfish-api-credit0) \([^)]*\)/\1 (= 0.0.1)/' "$work/older/DEBIAN/control"
  dpkg-deb --root-owner-group -b "$work/older" "$tree/older/${file##*/}" >/dev/null
  rm -r "$work/older"
done
bare() { # bare COMMANDS
  inside --bind tests/install sh -euc "$1"
}
files() { # Every file but the lists, caches and logs of the tools that install.
  (cd "$tree" && find . -path ./var/lib/dpkg -prune -o -path ./var/lib/apt -prune -o -path ./var/cache -prune \
    -o -path ./var/log -prune -o -path ./packages -prune -o -path ./older -prune -o -path ./tmp -prune -o -print | sort)
}
installed() {
  bare 'dpkg-query -W -f "\${Package} \${Version}\n"' | LC_ALL=C sort
}

no_compiler
bare 'apt-get update -qq'
inside --bind "$release" true # so that the folder is there before, too
files >"$work/before"
installed >"$work/installed"

echo "+ what docs/install.md says installs the command and its library, and nothing else"
downloads
# Where a person would type yes.
typed() { # typed BLOCK
  inside --bind "$release" folder="$folder" bash -euc "apt-get() { command apt-get -qq -y \"\$@\" >/dev/null; }
    $(lines 'Debian and Ubuntu' "$1")"
}
typed 1
diff <(sort "$work/installed" <(printf "%s ${version/-/\~}\n" fish-api-credit libfish-api-credit0) | LC_ALL=C sort) \
  <(installed)
bare "fish-credit --base-url $sandbox" | tee "$work/said"
grep -qxF "$command_says" "$work/said"
bare "fish-credit --base-url $sandbox --json" | grep -qF '"credit":"12.345678"'
status=0
bare "fish-credit --base-url $sandbox --low 20 >/dev/null" || status=$?
[ "$status" = 3 ]

echo "+ purge: nothing is left"
bare 'apt-get purge -qq -y fish-api-credit libfish-api-credit0 >/dev/null'
files | diff "$work/before" -
diff "$work/installed" <(installed)

echo "+ upgrade, reinstall, remove"
bare 'apt-get install -qq -y /older/*.deb >/dev/null'
installed | grep -qx 'libfish-api-credit-dev 0.0.1'
bare 'apt-get install -qq -y /packages/*.deb >/dev/null'
same 3 "$(installed | grep -c "fish-api-credit.* ${version/-/\~}\$")"
bare 'apt-get install -qq -y --reinstall /packages/*.deb >/dev/null; dpkg --verify'
bare 'apt-get remove -qq -y libfish-api-credit0 >/dev/null' # which takes with it what needs it
files | diff "$work/before" -
diff "$work/installed" <(installed)

echo "+ with a compiler: pkg-config and CMake"
typed 1
typed 2
bare 'apt-get install -qq -y --no-install-recommends gcc g++ libc6-dev make cmake pkg-config man-db bash-completion zsh fish \
    >/dev/null'
mkdir "$tree/build"
bare "cd /build
  test \"\$(pkg-config --modversion fish_api_credit)\" = $version
  test \"\$(pkg-config --cflags --libs fish_api_credit | xargs)\" = -lfish_api_credit
  cc -Wall -Werror $PWD/tests/install/main.c \$(pkg-config --cflags --libs fish_api_credit) -o shared
  ./shared
  cc $PWD/tests/install/main.c -Wl,-Bstatic \$(pkg-config --libs fish_api_credit) -Wl,-Bdynamic \
    \$(pkg-config --static --libs fish_api_credit | sed s/-lfish_api_credit//) -o static
  ./static
  ldd shared | grep -q libfish_api_credit.so.0
  if ldd static | grep libfish_api_credit; then exit 1; fi
  cmake -S $PWD/tests/install -B cmake -DFISH_ROUTE=find_package -DFISH_VERSION=${version%.*} >/dev/null
  cmake --build cmake >/dev/null
  ctest --test-dir cmake --no-tests=error --output-on-failure"

echo "+ the manual page, and the shells' completions"
bare 'man -w fish-credit
  bash -c ". /usr/share/bash-completion/bash_completion && _completion_loader fish-credit; complete -p fish-credit"
  zsh -fc "autoload -U compinit && compinit -u -D && print \$_comps[fish-credit]" | grep -x _fish-credit
  fish -c "complete -C \"fish-credit --wa\"" | grep -e --watch'

# ---- arm64 ----------------------------------------------------------------------------------------------------
echo "+ arm64: the command, under qemu"
root=$work/arm64/usr
FISH_API_KEY=sandbox-key qemu-aarch64 -L /usr/aarch64-linux-gnu -E LD_LIBRARY_PATH="$root/lib/aarch64-linux-gnu" \
  "$root/bin/fish-credit" --base-url "$sandbox" | grep -xF "$command_says"
echo "deb: all passed"
