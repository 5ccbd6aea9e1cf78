// Encoder: gzip or deflate, a piece at a time.
//
//   Encoder encoder(Coding::gzip);
//   encoder.next(piece, room)                --> { consumed, produced, is_complete }     gives octets when it likes
//   encoder.next(piece, room, Then::flush)       until complete: a decoder has all that was written so far
//   encoder.next({}, room, Then::finish)         until complete: the end
//
// Each is called again, with the input that is left, until it is complete: all of the input has been taken, what `then`
// asks for has been done, and all of it has been handed out. What is written depends on the input, where it is flushed,
// the level and zlib's version; never on the sizes of room. deflate has the header that RFC 9110 asks for, gzip neither
// name nor time.
//
// A flush costs some 5 octets, and what the next ones could have had of those before; nothing, when there is nothing to
// flush.
//
// Spec      RFC 9110 §8.4.1.2, §8.4.1.3; RFC 1950-1952.
// Units     levels are zlib's: 1, fast, to 9, small; 0 only wraps.
// Bounded   some 270 KiB an encoder.
// Threads   one.
#pragma once

#include <cstdint>
#include <memory>

#include "pipette/base/bytes.h"
#include "pipette/coding/coding.h"

namespace pipette::coding {

inline constexpr int kDefaultLevel = 6;

enum class Then : std::uint8_t { go_on, flush, finish };

class Encoder {
 public:
  // Of Coding::gzip or Coding::deflate.
  explicit Encoder(Coding coding, int level = kDefaultLevel);
  Encoder(Encoder&& other) noexcept;
  Encoder& operator=(Encoder&& other) noexcept;
  ~Encoder();

  // `into` is never empty. Nothing may come behind the end.
  Step next(Bytes input, MutableBytes into, Then then = Then::go_on);

 private:
  struct Stream;

  std::unique_ptr<Stream> stream_;
};

}  // namespace pipette::coding
