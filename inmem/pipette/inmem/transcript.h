// What happened in a world, in order: one line an event, stamped with virtual time.
//
//   +10.000000000  conn 1  server -> client  72 B  "HTTP/1.1 408 Request Timeout\r\n…"
//
// Two runs of the same test give the same transcript, byte for byte.
//
// Lifetime  owned by its World.   Threads  one.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "pipette/base/bytes.h"
#include "pipette/base/time.h"

namespace pipette::inmem {

class Transcript {
 public:
  // Events are formatted and kept only while this is on; benches turn it off.
  bool is_recording() const { return is_recording_; }
  void set_recording(bool on) { is_recording_ = on; }

  void add(TimePoint now, std::string_view what);
  void add_bytes(TimePoint now, std::string_view from_to, Bytes bytes);

  const std::vector<std::string>& lines() const { return lines_; }
  std::string text() const;
  // The last `count` lines, each indented by two spaces.
  std::string tail(std::size_t count) const;

 private:
  bool is_recording_ = true;
  std::vector<std::string> lines_;
};

// "+12.345678900": seconds since the world began.
std::string format_time(TimePoint now);
// `bytes` in double quotes with C escapes, cut after `max_shown` octets.
std::string quote(Bytes bytes, std::size_t max_shown = 96);

}  // namespace pipette::inmem
