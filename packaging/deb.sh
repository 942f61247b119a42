#!/usr/bin/env bash
# Makes the Debian packages libfish-api-credit0, libfish-api-credit-dev and fish-api-credit, for each of amd64 and arm64
# whose release archive is there. The libraries are the archive's own; only the command is compiled, by cc.
#
#   packaging/deb.sh ARCHIVES OUT
#
# Needs debhelper, cmake, gcc, and for arm64 gcc-aarch64-linux-gnu. The same archives and compiler give the same bytes,
# with the archives' time unless SOURCE_DATE_EPOCH names another. What the packages are is in packaging/debian.
set -euo pipefail
cd "$(dirname "$0")/.."
. packaging/from-archives
. packaging/source-tree

# Without a revision, so that it comes before the 0.1.0-1 of a package that Debian would make itself. For dpkg, 1.0.0~rc.1
# comes before 1.0.0.
debian_version=${version/-/\~}
# Nothing of who builds, where and when.
unset CC CFLAGS CPPFLAGS LDFLAGS DESTDIR ${!DEB_*}
export HOME=$work TZ=UTC LC_ALL=C.UTF-8 DEB_BUILD_OPTIONS='noautodbgsym nocheck'

# What a program needs, for dpkg-shlibdeps: a library that has the functions that it calls, and knows the newest field of
# any struct, because an older one refuses a struct with a field that it does not know.
symbols() { # symbols HEADER
  local newest function since
  newest=$(awk '$1 ~ /\./ { print $2 }' docs/symbols-in-versions | sort -V | tail -n 1)
  echo 'libfish_api_credit.so.0 libfish-api-credit0 #MINVER#'
  echo '* Build-Depends-Package: libfish-api-credit-dev'
  grep -o '\bfish_[a-z_]*(' "$1" | tr -d '(' | sort -u | while read -r function; do
    since=$(awk -v name="$function" '$1 == name { print $2 }' docs/symbols-in-versions)
    [ -n "$since" ] || fail "docs/symbols-in-versions does not have $function"
    echo " $function@Base $(printf '%s\n' "$since" "$newest" | sort -V | tail -n 1)"
  done
}

# CHANGELOG.md as dpkg wants it: a line of 80 characters at most, no links, and this version's section first, which is
# "Unreleased" as long as there is no other.
changelog() {
  local section=$version
  grep -qF "## [$version]" CHANGELOG.md || section=Unreleased
  awk -v section="$section" -v version="$debian_version" -v now="$SOURCE_DATE_EPOCH" \
    -v maintainer="$(sed -n 's/^Maintainer: //p' packaging/debian/control)" '
    function item(  line, i, count, words) {
      if (text !~ /[^ ]/) { text = ""; return }
      while (match(text, /\[[^]]*\]\([^)]*\)/)) {
        line = substr(text, RSTART + 1, RLENGTH - 2)
        sub(/\].*/, "", line)
        text = substr(text, 1, RSTART - 1) line substr(text, RSTART + RLENGTH)
      }
      count = split(text, words, " ")
      line = "  *"
      for (i = 1; i <= count; i++) {
        if (length(line) + length(words[i]) > 78) { print line; line = "   " }
        line = line " " words[i]
      }
      print line
      text = ""
    }
    function end() {
      item()
      if (inside) printf "\n -- %s  %s\n\n", maintainer, strftime("%a, %d %b %Y %H:%M:%S +0000", date, 1)
    }
    /^## \[/ {
      end()
      name = $2; gsub(/[][]/, "", name)
      if (name == section) started = 1
      inside = started
      if (!inside) next
      split($NF, day, "-")
      date = name == section ? now : mktime(day[1] " " day[2] " " day[3] " 0 0 0")
      if (name == section) name = version; else sub(/-/, "~", name)
      printf "fish-api-credit (%s) unstable; urgency=medium\n", name
      next
    }
    !inside { next }
    /^### / { item(); printf "\n  [ %s ]\n\n", $2; next }
    /^\[.*\]: / { next } # where a link leads
    /^- / { item(); text = substr($0, 3); next }
    { text = text " " $0 }
    END { end() }' CHANGELOG.md
}

packages() { # packages ARCHITECTURE TARGET COMPILER
  local architecture=$1 target=$2 compiler=$3 source=$work/$1/fish-api-credit-$version file
  unpack "$target"
  source_tree "$source"
  # Both architectures have this file under one name, so it must not name its own.
  sed "1s/for $target,/for Linux,/" "$source/prebuilt/THIRD-PARTY" >"$source/THIRD-PARTY"
  mv "$source/packaging/debian" "$source"
  symbols "$tree/include/fish_api_credit.h" >"$source/debian/libfish-api-credit0.symbols"
  sed -e '/./!s/.*/./' -e 's/^/ /' LICENSE-MIT >"$work/mit"
  sed -i -e "/^@MIT@$/{r $work/mit" -e 'd}' "$source/debian/copyright"
  changelog >"$source/debian/changelog"

  echo "+ dpkg-buildpackage --host-arch $architecture"
  # What is needed is known; for another architecture dpkg would also ask for that one's libc6-dev.
  (cd "$source" && CC=$compiler dpkg-buildpackage --build=binary --host-arch "$architecture" --no-check-builddeps \
    --no-sign) >"$work/$architecture/log" 2>&1 || { cat "$work/$architecture/log" >&2; fail "$architecture fails"; }
  if grep 'dpkg-[a-z]*: warning' "$work/$architecture/log"; then
    fail "$architecture: see above"
  fi
  for file in "$work/$architecture"/*.deb; do
    mv "$file" "$out"
    file=$out/${file##*/}
    echo "$file: $(stat -c %s "$file") bytes"
  done
}

found=$(targets)
made=
while read -r architecture target compiler; do
  if grep -qx "$target" <<<"$found"; then
    packages "$architecture" "$target" "$compiler"
    made=yes
  fi
done <<'END'
amd64 x86_64-unknown-linux-gnu x86_64-linux-gnu-gcc
arm64 aarch64-unknown-linux-gnu aarch64-linux-gnu-gcc
END
[ -n "$made" ] || fail "no archive for a Linux with glibc in $archives"
