#!/usr/bin/env bash
# dlltool as rustc calls it for a static library for Windows. dlltool makes symbols of the path that it is told to write
# to, and rustc tells it a folder of this machine with a name that changes from build to build. Here they are made of what
# is imported, so that the same source gives the same bytes, and no other library in a program has them.
set -euo pipefail

arguments=() before='' dll='' output='' definition=''
for argument in "$@"; do
  case $before in
  -d) definition=$(realpath "$argument") argument=$definition ;;
  -D) dll=$argument ;;
  -l) output=$(realpath "$argument") argument=NAME ;;
  esac
  before=$argument
  arguments+=("$argument")
done
[ -n "$definition" ] && [ -n "$dll" ] && [ -n "$output" ] || {
  echo "dlltool.sh: rustc calls dlltool in another way than -d FILE -D DLL -l LIBRARY: $*" >&2
  exit 1
}
name=fish_api_credit_${dll%.*}_$(sha256sum <"$definition" | cut -c1-16)

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
x86_64-w64-mingw32-dlltool "${arguments[@]/#NAME/$name}"
mv "$name" "$output"
