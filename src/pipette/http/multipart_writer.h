// Writes multipart/form-data into the caller's strings.
//
//   MultipartWriter writer(*Boundary::from_random(octets));
//   writer.add_field("title", "Pipettes", body);
//   writer.add_file({.name = "photo", .filename = "a.png", .content_type = "image/png"}, content, body);
//   writer.finish(body);                                 // and writer.content_type() is the field that goes with it
//
// A part may come in pieces: begin_part(), any number of add_content(), and the next part or finish() ends it. Who
// sends the octets of a file from elsewhere calls check_content() in place of add_content(), and sends them behind what
// has been written. The size of the whole is known before any of it: the sum of size_of_part() over the parts, and
// size_of_end().
//
// Names are quoted as multipart.h says. Whatever is written is read back as the same by MultipartReader.
//
// Spec      RFC 2046 §5.1.1, RFC 7578 §4-§5.
// Errors    Errc::bad_field_value: a control octet (CR, LF and NUL among them) in a name, filename or content type, or
//           white space around the latter; bad_multipart: %22 in a name, the boundary in the content, or a part after
//           the end. Nothing is appended then, and after an error in the content the body cannot go on.
// Threads   one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "pipette/base/bytes.h"
#include "pipette/base/result.h"
#include "pipette/http/internal/delimiter.h"
#include "pipette/http/multipart.h"

namespace pipette::http {

struct PartInfo {
  std::string_view name;
  std::optional<std::string_view> filename = std::nullopt;  // makes it a file
  std::string_view content_type = {};                       // empty: none is written
};

class MultipartWriter {
 public:
  explicit MultipartWriter(const Boundary& boundary) : boundary_(boundary), content_(boundary) {}

  // multipart/form-data; boundary=…
  std::string content_type() const;

  Result<void> add_field(std::string_view name, Bytes value, std::string& out);
  Result<void> add_file(const PartInfo& info, Bytes content, std::string& out) { return add_part(info, content, out); }

  Result<void> begin_part(const PartInfo& info, std::string& out);
  Result<void> add_content(Bytes piece, std::string& out);
  Result<void> check_content(Bytes piece);
  Result<void> finish(std::string& out);

  std::uint64_t size_of_part(const PartInfo& info, std::uint64_t content_size) const;
  std::uint64_t size_of_end() const { return boundary_.text().size() + 6; }

 private:
  enum class State : std::uint8_t { empty, in_part, bad_content, finished };

  Result<void> add_part(const PartInfo& info, Bytes content, std::string& out);

  Boundary boundary_;
  internal::DelimiterSearch content_;  // looks through the content of the part that has begun
  State state_ = State::empty;
};

}  // namespace pipette::http
