// gzip and deflate, by zlib.
#define ZLIB_CONST
#include <cstdint>
#include <new>
#include <zlib.h>

#include "pipette/coding/internal/stage.h"

namespace pipette::coding::internal {
namespace {

constexpr int kGzipWindowBits = MAX_WBITS + 16;

void check_memory(int result) {
  if (result == Z_MEM_ERROR) throw std::bad_alloc();
}

class ZlibStage final : public Stage {
 public:
  explicit ZlibStage(bool is_gzip) : is_gzip_(is_gzip) { check_memory(inflateInit2(&stream_, MAX_WBITS)); }
  ~ZlibStage() override { inflateEnd(&stream_); }
  ZlibStage(const ZlibStage&) = delete;
  ZlibStage& operator=(const ZlibStage&) = delete;

  Result<Step> next(Bytes input, MutableBytes into) override {
    Step step;
    for (;;) {
      const Bytes rest = input.substr(step.consumed);
      if (state_ != State::inside && rest.empty()) break;
      if (state_ != State::inside && !begin(rest.front())) return fail(Errc::bad_content_coding);
      const int result = run(rest, into.subspan(step.produced), step);
      check_memory(result);
      if (result == Z_OK || result == Z_BUF_ERROR) break;  // the room is full, or the input gone
      if (result != Z_STREAM_END) return fail(Errc::bad_content_coding);
      state_ = State::behind_end;
    }
    step.is_complete = state_ != State::inside;
    return step;
  }

 private:
  enum class State : std::uint8_t { before_all, inside, behind_end };

  // Whether another one may begin, with that octet.
  bool begin(char first) {
    if (!is_gzip_ && state_ == State::behind_end) return false;
    const bool has_header = (static_cast<unsigned char>(first) & 15U) == Z_DEFLATED;
    const int deflate_bits = has_header ? MAX_WBITS : -MAX_WBITS;
    check_memory(inflateReset2(&stream_, is_gzip_ ? kGzipWindowBits : deflate_bits));
    state_ = State::inside;
    return true;
  }

  int run(Bytes input, MutableBytes into, Step& step) {
    stream_.next_in = reinterpret_cast<const Bytef*>(input.data());
    stream_.avail_in = static_cast<uInt>(input.size());
    stream_.next_out = reinterpret_cast<Bytef*>(into.data());
    stream_.avail_out = static_cast<uInt>(into.size());
    const int result = inflate(&stream_, Z_NO_FLUSH);
    step.consumed += input.size() - stream_.avail_in;
    step.produced += into.size() - stream_.avail_out;
    return result;
  }

  z_stream stream_{};
  const bool is_gzip_;
  State state_ = State::before_all;
};

}  // namespace

std::unique_ptr<Stage> make_zlib_stage(Coding coding) { return std::make_unique<ZlibStage>(coding == Coding::gzip); }

}  // namespace pipette::coding::internal
