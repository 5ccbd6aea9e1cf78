#!/bin/bash -eu
# Builds every fuzz target for ClusterFuzzLite and OSS-Fuzz: targets, dictionaries, options and seed corpora into $OUT.
# The environment is theirs; by hand, from the top of the tree:
#
#   CXX=clang++-19 CXXFLAGS="-O1 -fsanitize=fuzzer-no-link,address" LIB_FUZZING_ENGINE=-fsanitize=fuzzer \
#     OUT=/tmp/out WORK=/tmp/work .clusterfuzzlite/build.sh
cd "$(dirname "$(realpath "$0")")"
if [ -f ../fuzz/CMakeLists.txt ]; then cd ..; else cd "$SRC/pipette"; fi

work=${WORK:-/tmp}/pipette
generator=$(command -v ninja >/dev/null && echo Ninja || echo "Unix Makefiles")
cmake -S . -B "$work" -G "$generator" -DCMAKE_BUILD_TYPE=None -DCMAKE_CXX_COMPILER="${CXX:-clang++}" \
  -DCMAKE_CXX_FLAGS="${CXXFLAGS:-}" -DPIPETTE_FUZZ=ON -DPIPETTE_TESTS=OFF -DPIPETTE_EXAMPLES=OFF
cmake --build "$work" --parallel "${JOBS:-$(nproc)}" --target pipette_fuzz_targets
mkdir -p "$OUT"
cmake --install "$work" --component fuzz --prefix "$OUT"
