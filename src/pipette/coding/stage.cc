#include "pipette/coding/internal/stage.h"

namespace pipette::coding::internal {

std::unique_ptr<Stage> make_stage(Coding coding) {
  switch (coding) {
    case Coding::gzip:
    case Coding::deflate:
      break;
    case Coding::brotli:
      return make_brotli_stage();
    case Coding::zstd:
      return make_zstd_stage();
  }
  return make_zlib_stage(coding);
}

}  // namespace pipette::coding::internal
