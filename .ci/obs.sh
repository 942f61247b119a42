#!/usr/bin/env bash
# The plugin of examples/obs, as CMake builds and installs it with the release library inside, in Debian's OBS Studio.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/packages.sh
need cc gcc /usr/include/stdio.h libc6-dev cmake cmake make make pkg-config pkg-config nm binutils \
  obs obs-studio /usr/include/obs/obs-module.h libobs-dev Xvfb xvfb \
  '/usr/lib/*/dri/swrast_dri.so' libgl1-mesa-dri '/usr/lib/*/libEGL_mesa.so.0' libegl-mesa0 \
  /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf fonts-dejavu-core \
  tesseract tesseract-ocr '/usr/share/tesseract-ocr/*/tessdata/eng.traineddata' tesseract-ocr-eng

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
set -x
obs --version
# As it is shipped; .ci/host.sh and .ci/supply.sh build the same there.
CARGO_TARGET_DIR=$PWD/target/shipped packaging/build.sh
cmake -S . -B "$scratch/library" -DFISH_API_CREDIT_PREBUILT="$PWD/target/shipped/release" >/dev/null
cmake --build "$scratch/library" >/dev/null
cmake --install "$scratch/library" --prefix "$scratch/prefix" >/dev/null
cmake -S examples/obs -B "$scratch/plugin" -DCMAKE_PREFIX_PATH="$scratch/prefix" -DCMAKE_C_FLAGS=-Werror >/dev/null
cmake --build "$scratch/plugin" >/dev/null
cmake --install "$scratch/plugin" --prefix "$scratch/plugins" >/dev/null
FISH_CI=1 FISH_OBS_PLUGIN=$scratch/plugins/fish-credit cargo test --test obs -- --nocapture
