// zstd, by libzstd. A frame's first octet is looked at, and handed over alone: it tells the formats of before RFC 8878,
// which know no limit of the window, and without it libzstd cannot decode a whole frame at once, in which case it would
// not look at the window either.
#include <memory>
#include <new>
#include <zstd.h>
#include <zstd_errors.h>

#include "pipette/coding/internal/stage.h"

namespace pipette::coding::internal {
namespace {

constexpr int kMaxWindowLog = 23;  // RFC 9659: 8 MiB

struct Free {
  void operator()(ZSTD_DStream* stream) const { ZSTD_freeDStream(stream); }
};

// A frame's, or that of a skippable one; both in little-endian.
bool begins_frame(char c) { return c == '\x28' || (c & '\xf0') == '\x50'; }

class ZstdStage final : public Stage {
 public:
  ZstdStage() : stream_(ZSTD_createDStream()) {
    if (!stream_) throw std::bad_alloc();
    ZSTD_DCtx_setParameter(stream_.get(), ZSTD_d_windowLogMax, kMaxWindowLog);
  }

  Result<Step> next(Bytes input, MutableBytes into) override {
    Step step{.is_complete = is_between_};
    do {
      Bytes rest = input.substr(step.consumed);
      if (rest.empty() && (is_between_ || !is_room_full_)) break;  // libzstd minds being called for nothing
      if (is_between_) {
        if (!begins_frame(rest.front())) return fail(Errc::bad_content_coding);
        rest = rest.substr(0, 1);
      }
      if (!run(rest, into.subspan(step.produced), step)) return fail(Errc::bad_content_coding);
      is_between_ = step.is_complete;
      is_room_full_ = step.produced == into.size();
    } while (!is_room_full_);
    return step;
  }

 private:
  bool run(Bytes rest, MutableBytes room, Step& step) {
    ZSTD_inBuffer from{rest.data(), rest.size(), 0};
    ZSTD_outBuffer to{room.data(), room.size(), 0};
    const std::size_t left = ZSTD_decompressStream(stream_.get(), &to, &from);
    if (ZSTD_getErrorCode(left) == ZSTD_error_memory_allocation) throw std::bad_alloc();
    step.consumed += from.pos;
    step.produced += to.pos;
    step.is_complete = left == 0;
    return ZSTD_isError(left) == 0;
  }

  std::unique_ptr<ZSTD_DStream, Free> stream_;
  bool is_between_ = true;     // two frames
  bool is_room_full_ = false;  // there may be more of what has been taken
};

}  // namespace

std::unique_ptr<Stage> make_zstd_stage() { return std::make_unique<ZstdStage>(); }

}  // namespace pipette::coding::internal
