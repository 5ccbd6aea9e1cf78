// Content through decoders and encoders, in pieces and with little room, and what comes of it.
//
//   decode({piece, piece}, "gzip", 7) --> Decoded        seven octets of room at a time
//
// Room is a heap block of exactly its size. What decoder.h and encoder.h promise of each step is asserted.
#pragma once

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>

#include "pipette/coding/decoder.h"
#include "pipette/coding/encoder.h"

#include "tests/support/splits.h"

namespace pipette::test {

struct Decoded {
  std::string data;  // none, when there is an error
  std::optional<Errc> error;
  bool is_cut = false;  // there is more than was asked for

  bool operator==(const Decoded&) const = default;
};

// Named as GoogleTest wants it.
inline void PrintTo(const Decoded& decoded, std::ostream* out) {  // NOLINT(readability-identifier-naming)
  if (decoded.error) *out << make_error_code(*decoded.error).message();
  *out << '"' << decoded.data.substr(0, 100) << '"' << (decoded.is_cut ? " cut" : "");
}

class Decoding {
 public:
  Decoding(std::string_view codings, std::size_t room_bytes, std::size_t max_bytes)
      : decoder_(coding::Decoder::from(codings)), room_(std::string(room_bytes, '.')), max_bytes_(max_bytes) {
    if (!decoder_) outcome_.error = errc_of(decoder_.error());
  }

  void take(std::string_view piece) {
    const ExactBlock block(piece);
    Bytes rest = block.octets();
    bool is_full = true;
    while ((is_full || !rest.empty()) && !has_ended()) {
      const std::size_t room = std::min(room_.octets().size(), max_bytes_ - outcome_.data.size());
      const Result<coding::Step> step = decoder_->next(rest, room_.writable().first(room));
      if (!step) return stop(step.error());
      rest.remove_prefix(step->consumed);
      outcome_.data += room_.octets().substr(0, step->produced);
      outcome_.is_cut = outcome_.data.size() == max_bytes_;
      is_full = step->produced == room;
      is_complete_ = step->is_complete;
      assert(is_full || rest.empty());
    }
  }

  Decoded finish() {
    if (has_ended()) return outcome_;
    const Result<void> finished = decoder_->finish();
    assert(finished.has_value() == is_complete_);
    if (!finished) stop(finished.error());
    return outcome_;
  }

 private:
  bool has_ended() const { return outcome_.error || outcome_.is_cut; }
  void stop(std::error_code error) {
    outcome_ = {.data = {}, .error = errc_of(error)};
    assert(errc_of(decoder_->finish().error()) == outcome_.error);
    assert(errc_of(decoder_->next("x", room_.writable()).error()) == outcome_.error);
  }

  Result<coding::Decoder> decoder_;
  ExactBlock room_;
  std::size_t max_bytes_;
  bool is_complete_ = true;
  Decoded outcome_;
};

inline Decoded decode(const Pieces& pieces, std::string_view codings, std::size_t room_bytes = 4096,
                      std::size_t max_bytes = 64 << 20) {
  Decoding decoding(codings, room_bytes, max_bytes);
  for (const std::string_view piece : pieces) decoding.take(piece);
  return decoding.finish();
}

// Until what `then` asks for is complete.
inline std::string encode_piece(coding::Encoder& encoder, std::string_view piece, coding::Then then,
                                std::size_t room_bytes = 4096) {
  ExactBlock room{std::string(room_bytes, '.')};
  const ExactBlock block(piece);
  Bytes rest = block.octets();
  std::string out;
  for (;;) {
    const coding::Step step = encoder.next(rest, room.writable(), then);
    rest.remove_prefix(step.consumed);
    out += room.octets().substr(0, step.produced);
    assert(step.is_complete || step.produced == room_bytes);
    if (!step.is_complete) continue;
    assert(rest.empty());
    return out;
  }
}

inline std::string encode(std::string_view octets, coding::Coding coding, int level = coding::kDefaultLevel) {
  coding::Encoder encoder(coding, level);
  return encode_piece(encoder, octets, coding::Then::finish);
}

}  // namespace pipette::test
