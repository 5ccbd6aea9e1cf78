// zlib never writes into the caller's room: where that is smaller than the mark of a flush, it would write one mark
// after the other (zlib.h, deflate()).
#include "pipette/coding/encoder.h"

#define ZLIB_CONST
#include <algorithm>
#include <array>
#include <cassert>
#include <cstddef>
#include <new>
#include <zlib.h>

namespace pipette::coding {
namespace {

constexpr std::size_t kStagedBytes = 4096;
constexpr std::size_t kMaxRunBytes = std::size_t{1} << 30;  // zlib counts in 32 bits
constexpr int kMemoryLevel = 8;

int flush_of(Then then) {
  switch (then) {
    case Then::go_on:
      break;
    case Then::flush:
      return Z_SYNC_FLUSH;
    case Then::finish:
      return Z_FINISH;
  }
  return Z_NO_FLUSH;
}

}  // namespace

struct Encoder::Stream {
  Stream(Coding coding, int level) {
    const int window_bits = coding == Coding::gzip ? MAX_WBITS + 16 : MAX_WBITS;
    const int result = deflateInit2(&z, level, Z_DEFLATED, window_bits, kMemoryLevel, Z_DEFAULT_STRATEGY);
    if (result == Z_MEM_ERROR) throw std::bad_alloc();
    assert(result == Z_OK);
  }
  ~Stream() { deflateEnd(&z); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // Hands out what is staged, as far as there is room.
  std::size_t hand_out(MutableBytes into) {
    const std::size_t size = std::min(into.size(), end - begin);
    std::copy_n(staged.data() + begin, size, into.data());
    begin += size;
    return size;
  }

  // Fills the stage anew, and takes of the input; how much. Full, it may have more.
  std::size_t run(Bytes input, Then then) {
    const Bytes piece = input.substr(0, kMaxRunBytes);
    z.next_in = reinterpret_cast<const Bytef*>(piece.data());
    z.avail_in = static_cast<uInt>(piece.size());
    z.next_out = reinterpret_cast<Bytef*>(staged.data());
    z.avail_out = static_cast<uInt>(staged.size());
    const int result = deflate(&z, piece.size() == input.size() ? flush_of(then) : Z_NO_FLUSH);
    assert(result != Z_STREAM_ERROR);
    has_ended = result == Z_STREAM_END;
    begin = 0;
    end = staged.size() - z.avail_out;
    return piece.size() - z.avail_in;
  }

  z_stream z{};
  std::array<char, kStagedBytes> staged;
  std::size_t begin = 0;  // what has not been handed out
  std::size_t end = 0;
  bool has_ended = false;
};

Encoder::Encoder(Coding coding, int level) {
  assert(coding == Coding::gzip || coding == Coding::deflate);
  assert(level >= 0 && level <= 9);
  stream_ = std::make_unique<Stream>(coding, level);
}

Encoder::Encoder(Encoder&& other) noexcept = default;
Encoder& Encoder::operator=(Encoder&& other) noexcept = default;
Encoder::~Encoder() = default;

Step Encoder::next(Bytes input, MutableBytes into, Then then) {
  assert(!into.empty());
  assert(!stream_->has_ended || (input.empty() && then == Then::finish));
  Step step;
  bool is_done = false;
  for (;;) {
    step.produced += stream_->hand_out(into.subspan(step.produced));
    if (stream_->begin < stream_->end) return step;
    step.is_complete = is_done;
    if (is_done) return step;
    step.consumed += stream_->run(input.substr(step.consumed), then);
    const bool has_all = step.consumed == input.size() && stream_->end < kStagedBytes;
    is_done = has_all && (then != Then::finish || stream_->has_ended);
  }
}

}  // namespace pipette::coding
