// Puts a body on the wire as its head has declared it.
//
//   write(data) --> pieces to send, in order          chunked:  "1000" CRLF | data | CRLF        otherwise:  data
//   finish(out, trailers)                             chunked:  "0" CRLF trailers CRLF           otherwise:  nothing
//
// The data is not copied: it is one of the pieces, for a vectored write. A body of a declared length gets exactly that
// many octets, one without a body none. Only a chunked body has trailers; elsewhere, and so for every HTTP/1.0 peer,
// they are dropped.
//
// Spec      RFC 9112 §6, §7.1.
// Units     octets.
// Errors    Errc::wrong_body_size: more than was declared, less at the end, or anything behind the end; bad_trailer.
//           What is refused changes nothing.
// Lifetime  pieces are good until the next call and while the data stands still; the writer stays where it is
//           meanwhile.   Threads  one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "pipette/base/buffer.h"
#include "pipette/base/bytes.h"
#include "pipette/base/digits.h"
#include "pipette/base/result.h"
#include "pipette/http/fields.h"
#include "pipette/http/framing.h"

namespace pipette::http {

class BodyWriter {
 public:
  BodyWriter() = default;
  explicit BodyWriter(BodyLength length) : kind_(length.kind), left_(length.size) {}

  // No pieces for no data: an empty chunk would end the body.
  Result<std::span<const Bytes>> write(Bytes data);
  // The same, into a buffer.
  Result<void> write(Buffer& out, Bytes data);

  Result<void> finish(Buffer& out);
  Result<void> finish(Buffer& out, const Fields& trailers);

  bool is_finished() const { return is_finished_; }

 private:
  Result<void> take(std::size_t size);
  std::size_t write_size_line(std::size_t size);

  BodyLength::Kind kind_ = BodyLength::Kind::none;
  std::uint64_t left_ = 0;  // of a declared length
  bool is_finished_ = false;
  std::array<char, kMaxDigits + 2> size_line_;
  std::array<Bytes, 3> pieces_;
};

}  // namespace pipette::http
