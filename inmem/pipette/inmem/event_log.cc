#include "pipette/inmem/event_log.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstring>
#include <utility>

namespace pipette::inmem {
namespace {

// Little-endian whatever the machine is, so that the hash is the same on each.
std::uint64_t load(const char* octets, std::size_t count) {
  std::uint64_t word = 0;
  if constexpr (std::endian::native == std::endian::little) {
    std::memcpy(&word, octets, count);
  } else {
    for (std::size_t i = 0; i < count; ++i) {
      word |= std::uint64_t{static_cast<unsigned char>(octets[i])} << (8 * i);
    }
  }
  return word;
}

// Both halves of a product: one multiplication that moves every bit.
std::uint64_t fold(std::uint64_t a, std::uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = Wide{a} * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

void absorb(std::array<std::uint64_t, 2>& state, std::uint64_t first, std::uint64_t second) {
  constexpr std::uint64_t kFirst = 0xa0761d6478bd642f;
  constexpr std::uint64_t kSecond = 0xe7037ed1a0b428db;
  state[0] = fold(state[0] ^ first ^ kFirst, second ^ kSecond) + state[1];
  state[1] = (state[1] ^ second) * kFirst + first;
}

}  // namespace

std::string_view to_string(EventKind kind) {
  switch (kind) {
    case EventKind::note:
      return "note";
    case EventKind::listen:
      return "listen";
    case EventKind::dial:
      return "dial";
    case EventKind::refused:
      return "refused";
    case EventKind::accepted:
      return "accepted";
    case EventKind::accept_failed:
      return "accept failed";
    case EventKind::resolved:
      return "resolved";
    case EventKind::sent:
      return "sent";
    case EventKind::received:
      return "received";
    case EventKind::finished:
      return "finished";
    case EventKind::closed:
      return "closed";
    case EventKind::reset:
      return "reset";
    case EventKind::timed_out:
      return "timed out";
    case EventKind::fault:
      return "fault";
    case EventKind::link:
      return "link";
    case EventKind::keys:
      return "keys";
  }
  return "?";
}

void EventLog::add(const EventHeader& header, Bytes octets) { add(header, &octets, 1); }

void EventLog::add(const EventHeader& header, const Bytes* pieces, std::size_t piece_count) {
  if (!is_recording_) return;
  const std::size_t at = octets_.size();
  std::size_t left = header.kind == EventKind::sent ? header.count : SIZE_MAX;
  for (std::size_t i = 0; i < piece_count; ++i) {
    const Bytes piece = pieces[i].substr(0, left);
    octets_.append(piece);
    left -= piece.size();
  }
  Entry entry{header, at, octets_.size() - at};
  absorb(hash_, static_cast<std::uint64_t>(header.time.time_since_epoch().count()),
         std::uint64_t{header.connection} << 32 | std::uint64_t{header.takes_time} << 16 |
             std::uint64_t{header.side} << 8 | std::to_underlying(header.kind));
  absorb(hash_, header.count, entry.size);
  hash_in(Bytes(octets_).substr(at));
  events_.push_back(entry);
  if (octets_.size() + events_.size() * sizeof(Entry) > kept_bytes_) drop_older_half();
}

std::uint32_t EventLog::add_connection(ConnectionFacts facts) {
  connections_.push_back(std::move(facts));
  return static_cast<std::uint32_t>(connections_.size());
}

Event EventLog::operator[](std::size_t index) const {
  assert(index < events_.size());
  const Entry& entry = events_[index];
  return {entry, Bytes(octets_).substr(entry.at, entry.size)};
}

std::string EventLog::hash() const {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string text;
  for (const std::uint64_t word : hash_) {
    for (int shift = 60; shift >= 0; shift -= 4) text += kHex[word >> shift & 15];
  }
  return text;
}

std::uint64_t EventLog::short_hash() const { return hash_[0]; }

void EventLog::hash_in(Bytes octets) {
  const char* at = octets.data();
  std::size_t left = octets.size();
  for (; left >= 16; left -= 16, at += 16) absorb(hash_, load(at, 8), load(at + 8, 8));
  if (left > 0) absorb(hash_, load(at, std::min<std::size_t>(left, 8)), left > 8 ? load(at + 8, left - 8) : 0);
}

void EventLog::drop_older_half() {
  const std::size_t half = events_.size() / 2;
  const std::size_t from = events_[half].at;
  events_.erase(events_.begin(), events_.begin() + static_cast<std::ptrdiff_t>(half));
  octets_.erase(0, from);
  for (Entry& entry : events_) entry.at -= from;
  dropped_ += half;
}

}  // namespace pipette::inmem
