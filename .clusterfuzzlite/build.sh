#!/bin/bash -eu
# Builds every fuzz target for ClusterFuzzLite and OSS-Fuzz: targets, dictionaries, options and seed corpora into $OUT.
# The environment is theirs. By hand, with what ci/setup installs, from the top of the tree:
#
#   CXX=clang++-19 CXXFLAGS="-O1 -gline-tables-only -fsanitize=address,fuzzer-no-link -stdlib=libc++" \
#     LIB_FUZZING_ENGINE=-fsanitize=fuzzer OUT=/tmp/out WORK=/tmp/work .clusterfuzzlite/build.sh
#   /tmp/out/uri_fuzz -max_total_time=5
#
# They ask for libc++, which has no std::move_only_function: each target brings libstdc++ along instead, since the
# machines that run it have none so new.
cd "$(dirname "$(realpath "$0")")"
if [ -f ../fuzz/CMakeLists.txt ]; then cd ..; else cd "$SRC/pipette"; fi

work=${WORK:-/tmp}/pipette
flags=${CXXFLAGS:-}
generator=$(command -v ninja >/dev/null && echo Ninja || echo "Unix Makefiles")
cmake -S . -B "$work" -G "$generator" -DCMAKE_BUILD_TYPE=None -DCMAKE_CXX_COMPILER="${CXX:-clang++}" \
  -DCMAKE_CXX_FLAGS="${flags//-stdlib=libc++/-stdlib=libstdc++}" -DCMAKE_EXE_LINKER_FLAGS="-static-libstdc++ -static-libgcc -Wl,--as-needed" \
  -DPIPETTE_FUZZ=ON -DPIPETTE_TESTS=OFF -DPIPETTE_EXAMPLES=OFF
cmake --build "$work" --parallel "${JOBS:-$(nproc)}" --target pipette_fuzz_targets
fuzz/collect "$work" "$OUT"
