#include "pipette/lab/peer.h"

#include <array>
#include <utility>

namespace pipette::lab {

void Peer::send(Bytes bytes) {
  settle();
  unsent_ += bytes;
  push();
}

const std::string& Peer::received() {
  settle();
  pull();
  return received_;
}

std::string Peer::take() {
  settle();
  pull();
  return std::exchange(received_, std::string());
}

bool Peer::closed() {
  settle();
  pull();
  return is_finished_ || was_reset_;
}

bool Peer::was_reset() {
  settle();
  pull();
  return was_reset_;
}

std::size_t Peer::unsent() {
  settle();
  return unsent_.size();
}

void Peer::close_write() {
  settle();
  wants_close_write_ = true;
  push();
}

void Peer::abort() {
  settle();
  connection_->abort();
}

// Lets everything run that can, sending on as room appears.
void Peer::settle() {
  world_->loop().settle();
  while (!unsent_.empty()) {
    const std::size_t before = unsent_.size();
    push();
    world_->loop().settle();
    if (unsent_.size() == before) return;
  }
}

void Peer::push() {
  while (!unsent_.empty()) {
    const Bytes piece = unsent_;
    const Result<std::size_t> taken = connection_->try_write({&piece, 1});
    if (!taken && taken.error() == make_error_code(Errc::would_block)) return;
    if (!taken) was_reset_ = was_reset_ || taken.error() == std::errc::connection_reset;
    unsent_.erase(0, taken.value_or(unsent_.size()));
  }
  if (wants_close_write_) (void)connection_->try_close_write();
}

// Reads until nothing more comes; reading makes room, which may let the other side go on.
void Peer::pull() {
  std::array<char, 4096> room;
  while (!is_finished_ && !was_reset_) {
    const Result<std::size_t> count = connection_->try_read(room);
    if (count && *count > 0) {
      received_.append(room.data(), *count);
      continue;
    }
    if (count) {
      is_finished_ = true;
    } else if (count.error() != make_error_code(Errc::would_block)) {
      was_reset_ = true;
    } else {
      const std::uint64_t steps = world_->loop().steps();
      settle();
      if (world_->loop().steps() == steps) return;
    }
  }
}

}  // namespace pipette::lab
