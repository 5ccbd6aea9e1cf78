// The words of reports: octets as somebody may read them, counts, times, and lines in their places.
//
//   quote("a\r\n\xff")      "a\r\n\xff" in double quotes      counted(2, "more octet")  2 more octets
//   escape("a\r\n\xff")     the same without them             indented("a\nb")          two lines, each two columns in
//   exact_text(1500us)      1.5 ms                            column("app", 6)          app, and three spaces
//   rough_text(90min)       1.5 h                             format_time(now)          +12.345678900
//   compact_text(1500us)    1500us
//
// Nothing here differs from run to run or between machines. What is meant for a machine is escaped where it is written:
// HTML by http/escape.h, the words of a shell and the literals of C++ in the explorer's report.
//
// Threads  pure functions, any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "pipette/base/bytes.h"
#include "pipette/base/time.h"

namespace pipette::inmem {

// ---- octets

// In double quotes, with C escapes, cut after `max_shown` octets.
std::string quote(Bytes octets, std::size_t max_shown = 96);
// Without quotes around it, and so with plain ones in it.
std::string escape(Bytes octets, std::size_t max_shown = SIZE_MAX);
// Of a text that is UTF-8: what is beyond ASCII stays as it is, and so does a backslash.
std::string escape_text(std::string_view text);
// Two digits an octet, `between` them: "0a ff".
std::string hex(Bytes octets, std::string_view between = {});

// ---- counts and lines

// "1 octet", "2 octets".
std::string counted(std::uint64_t count, std::string_view noun);
// Each line two columns further in, the last one ended.
std::string indented(std::string_view text);
// `text` filled up with spaces to `width`; two at least stand behind it.
std::string column(std::string text, std::size_t width);

// ---- times

// "+12.345678900": seconds since the world began.
std::string format_time(TimePoint now);
// "1.5 s", "250 us", "-1 ns": exact, in the largest unit up to seconds that it fills.
std::string exact_text(Duration duration);
// "1.5 h", "250 us": one decimal at most, in the largest unit up to days that it fills.
std::string rough_text(Duration duration);
// "50ms", "1500us": exact, in the largest unit up to seconds that needs no fraction.
std::string compact_text(Duration duration);

}  // namespace pipette::inmem
