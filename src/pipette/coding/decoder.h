// Decoder: undoes the codings of a Content-Encoding, a piece at a time.
//
//   Result<Decoder> decoder = Decoder::from("gzip");
//   decoder->next(octets so far, room) --> { consumed, produced, is_complete }
//   decoder->finish()                                          the octets have ended: was that a whole?
//
//   "deflate, gzip"     input --> gunzip --> 16 KiB --> inflate --> the caller's room
//
// A step goes on until the room is full, or the input is gone and nothing more comes of it. So who finds the room full
// calls again, even without more input, and who finds some left needs more input. Whole input and any split of it, and
// any sizes of room, give the same octets, or the same error; after an error what has come so far is worth nothing, and
// there is only that error.
//
// gzip and zstd may go on behind what is complete, with another member or frame; anything else behind the end is an
// error, and so is everything behind the end of the others. deflate is read in both of its forms, with the header that
// the RFC asks for and without it, as some servers send it: the low half of the first octet, 8 with the header, is not
// so in any block that an encoder writes. No octets at all are a whole, of no octets, whatever the coding: some servers
// declare one for an empty body.
//
// Bounded   by the caller's room: a bomb fills that, and waits. Within: some 50 KiB a gzip or deflate, 9 MiB a zstd,
//           whose window may have 8 MiB, 17 MiB a br, whose window may have 16 MiB; and kMaxCodings of them. What
//           passes between two codings without coming to anything (empty blocks, members without content) is cut off
//           with an error: kMaxIdleBytes and 16 octets for each that the caller has been given.
// Spec      RFC 9110 §8.4; RFC 1952 §2.2 (members), RFC 1950, RFC 1951, RFC 7932, RFC 8878 §3, RFC 9659 (windows).
// Errors    Errc::unknown_content_coding: one that coding.h does not name, or too many. Errc::bad_content_coding:
//           malformed, cut short, or with something behind it.
// Threads   one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <system_error>
#include <vector>

#include "pipette/base/bytes.h"
#include "pipette/base/result.h"
#include "pipette/coding/coding.h"

namespace pipette::coding {

namespace internal {
class Stage;
}

inline constexpr std::size_t kMaxCodings = 4;
inline constexpr std::uint64_t kMaxIdleBytes = 1024 * 1024;

class Decoder {
 public:
  // The value of the field, of several with commas between them. "identity" counts for nothing.
  static Result<Decoder> from(std::string_view content_encoding);

  Decoder();  // of no coding: hands on what it is given
  Decoder(Decoder&& other) noexcept;
  Decoder& operator=(Decoder&& other) noexcept;
  ~Decoder();

  bool is_identity() const { return layers_.empty(); }

  // `into` is never empty. Complete: what has been taken is a whole, and all of it has been handed out.
  Result<Step> next(Bytes input, MutableBytes into);
  // There is no more input, and a step has left room.
  Result<void> finish();

 private:
  struct Layer;

  bool is_complete() const;
  Result<std::size_t> pull(std::size_t index, Bytes& input, MutableBytes into);
  Result<bool> refill(std::size_t index, Bytes& input);

  std::vector<Layer> layers_;   // the first one undoes what was done last
  std::uint64_t produced_ = 0;  // by the last one
  std::error_code error_;       // the first one, which stays
};

}  // namespace pipette::coding
