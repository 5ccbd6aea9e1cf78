// IMF-fixdate, the one form of a date that is sent: "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 §5.6.7).
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "pipette/base/time.h"

namespace pipette::http {

inline constexpr std::size_t kDateBytes = 29;

// Years 0-9999.
std::array<char, kDateBytes> format_date(WallTime time);

// The line of a Date field with its CRLF, formatted again only when the second has changed.
class DateLine {
 public:
  std::string_view at(WallTime now) {
    if (now < from_ || now >= to_) update(now);
    return {line_.data(), line_.size()};
  }

 private:
  void update(WallTime now);

  WallTime from_{};
  WallTime to_{};
  std::array<char, 6 + kDateBytes + 2> line_{};
};

}  // namespace pipette::http
