#include "pipette/net/connection.h"

#include <algorithm>
#include <cassert>

namespace pipette::net {
namespace {

// How many pieces one try_write is given after a partial write; what is behind them goes with the next.
constexpr std::size_t kPiecesATry = 8;

}  // namespace

bool WriteAll::await_ready() {
  skip_written(0);
  while (!pieces_.empty()) {
    Result<std::size_t> taken;
    if (offset_ == 0) {
      taken = connection_.try_write(pieces_);
    } else {
      std::array<Bytes, kPiecesATry> rest;
      const std::size_t count = std::min(pieces_.size(), rest.size());
      std::copy_n(pieces_.begin(), count, rest.begin());
      rest[0].remove_prefix(offset_);
      taken = connection_.try_write(std::span(rest).first(count));
    }
    if (!taken) {
      if (taken.error() == make_error_code(Errc::would_block)) return false;
      result_ = fail(taken.error());
      return true;
    }
    skip_written(*taken);
  }
  return true;
}

void WriteAll::skip_written(std::size_t count) {
  offset_ += count;
  while (!pieces_.empty() && offset_ >= pieces_.front().size()) {
    offset_ -= pieces_.front().size();
    pieces_ = pieces_.subspan(1);
  }
  assert(offset_ == 0 || !pieces_.empty());
}

}  // namespace pipette::net
