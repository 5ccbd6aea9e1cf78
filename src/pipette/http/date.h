// Dates: written in one form, read in three.
//
//   Sun, 06 Nov 1994 08:49:37 GMT     IMF-fixdate, the one form that is written
//   Sunday, 06-Nov-94 08:49:37 GMT    RFC 850
//   Sun Nov  6 08:49:37 1994          asctime
//
// Read exactly: letters in their case, every space and digit in its place, a day that its month has, and the weekday
// that this day was. A year of two digits is the latest with these that makes a moment not more than fifty years after
// `now`, which nothing else asks. The leap second 23:59:60, and :60 at no other time, is the first second of the next
// day, as POSIX counts. (Cookies have a laxer date of their own: set_cookie.h.)
//
// Spec      RFC 9110 §5.6.7.
// Units     whole seconds, years 0-9999. WallTime reaches from 1677 to 2262: a moment outside becomes its end.
// Errors    Errc::bad_date.
// Threads   pure functions, any thread.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "pipette/base/result.h"
#include "pipette/base/time.h"

namespace pipette::http {

inline constexpr std::size_t kDateBytes = 29;

Result<WallTime> parse_date(std::string_view text, WallTime now);

// Parts of a second are cut off.
std::array<char, kDateBytes> format_date(WallTime time);
void write_date(WallTime time, std::string& out);

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
