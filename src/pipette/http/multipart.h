// What the two directions of multipart/form-data share: the boundary, and the names that a part has.
//
//   boundary_of("multipart/form-data; boundary=x")           --> Boundary "x", delimiter CRLF "--x"
//   parse_form_part("form-data; name=\"a\"; filename=\"b\"")   --> FormPart { name a, filename b }
//
// How names are quoted: browsers write `"` as %22 and leave a backslash as it is; others write quoted-pairs. Read: %22,
// \" and \\ stand for `"`, `"` and a backslash, and any other backslash or percent sign for itself, so that
// C:\dir\file keeps its shape. Written: `"` as %22, a backslash doubled. A name with the octets %22 in it cannot be
// told from one with a quote, and is refused when written; one that ends with a lone backslash is refused when read.
//
// A part is a file when it has a filename, which may be empty (a file input without a choice). filename* has no place
// in form data (RFC 7578 §4.2), and decoders disagree about it: it makes the part a file, and is not looked at.
//
// Spec      RFC 2046 §5.1.1, RFC 7578 §4-§5, RFC 9110 §5.6.6, §8.3.3.
// Errors    Errc::bad_media_type: malformed, or no multipart type. Errc::bad_multipart: no boundary, or a bad one; no
//           form-data, no name, or a parameter that is malformed or repeated. Errc::part_head_too_large: a name or a
//           filename over its bound.
// Threads   pure functions, any thread.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "pipette/base/bytes.h"
#include "pipette/base/result.h"

namespace pipette::http {

inline constexpr std::size_t kMaxBoundaryBytes = 70;

// 1-70 of the characters that RFC 2046 allows, the last one no space. Such an object is always valid.
class Boundary {
 public:
  static Result<Boundary> from(std::string_view text);
  // Of 16 octets of randomness at least; nobody who cannot guess them can put the boundary into a part.
  static Result<Boundary> from_random(Bytes octets);

  std::string_view text() const { return delimiter().substr(kPrefix.size()); }
  // What ends a part: CRLF "--" text. It has one CR, its first octet.
  std::string_view delimiter() const { return {octets_.data(), size_}; }

 private:
  static constexpr std::string_view kPrefix = "\r\n--";

  explicit Boundary(std::string_view text);

  std::array<char, kPrefix.size() + kMaxBoundaryBytes> octets_{};
  std::size_t size_ = 0;
};

// The boundary that a Content-Type declares. Any multipart type, when `subtype` is empty.
Result<Boundary> boundary_of(std::string_view content_type, std::string_view subtype = "form-data");

struct FormPart {
  std::string name;
  std::string filename;
  bool is_file = false;
};

// Reads a Content-Disposition into `part`, whose memory is used again.
Result<void> parse_form_part(std::string_view content_disposition, std::size_t max_name_bytes, FormPart& part);

// The last component of a file name that somebody sent, "/" and "\" and a drive letter being what separates: for use
// inside a directory of one's own. Empty when nothing safe is left: no name, "." or "..", or a control octet in it. It
// is still the sender's choice: it may exist already, begin with a dot, or lie about the type of the content.
std::string_view safe_file_name(std::string_view filename);

}  // namespace pipette::http
