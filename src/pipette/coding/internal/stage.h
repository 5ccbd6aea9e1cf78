// Stage: one coding of a Decoder, with the library that knows it behind.
//
// Errors    Errc::bad_content_coding; the decoder does not come back after it.
// Threads   one.
#pragma once

#include <cstddef>
#include <memory>

#include "pipette/base/bytes.h"
#include "pipette/base/result.h"
#include "pipette/coding/coding.h"

namespace pipette::coding::internal {

// What a stage is given at once, at most: zlib counts in 32 bits.
inline constexpr std::size_t kMaxStageBytes = std::size_t{1} << 30;

class Stage {
 public:
  virtual ~Stage() = default;

  // Goes on until the room, which is never empty, is full, or the input is gone and nothing more comes of it; or up to
  // an end, to be called again with what is behind it. Complete: what has been taken is a whole, or nothing has been.
  virtual Result<Step> next(Bytes input, MutableBytes into) = 0;
};

std::unique_ptr<Stage> make_stage(Coding coding);
std::unique_ptr<Stage> make_zlib_stage(Coding coding);
std::unique_ptr<Stage> make_brotli_stage();
std::unique_ptr<Stage> make_zstd_stage();

}  // namespace pipette::coding::internal
