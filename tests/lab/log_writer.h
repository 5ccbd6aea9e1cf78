// LogWriter: an event log made by hand, where a test wants to say what happened.
//
//   LogWriter world;
//   world.dial().client("GET / HTTP/1.1\r\nHost: a\r\n\r\n").wait(1s).server("HTTP/1.1 204 \r\n\r\n").fin(0);
//
// Everything is of the connection dialed last.
#pragma once

#include <string>
#include <string_view>

#include "pipette/inmem/event_log.h"

namespace pipette::test {

class LogWriter {
 public:
  explicit LogWriter(std::size_t kept_bytes = inmem::EventLog::kKeptBytes) : log_(kept_bytes) {}

  LogWriter& dial() {
    connection_ = log_.add_connection({"conn " + std::to_string(log_.connections() + 1), {"client", "app"}, {}});
    return add(inmem::EventKind::dial, 0, "app:80");
  }
  LogWriter& client(Bytes octets) { return add(inmem::EventKind::sent, 0, octets); }
  LogWriter& server(Bytes octets) { return add(inmem::EventKind::sent, 1, octets); }
  LogWriter& fin(std::uint8_t side) { return add(inmem::EventKind::finished, side); }
  LogWriter& wait(Duration time) {
    now_ += time;
    return *this;
  }
  LogWriter& add(inmem::EventKind kind, std::uint8_t side = inmem::kNoSide, Bytes octets = {},
                 std::uint64_t count = 0) {
    if (kind == inmem::EventKind::sent) count = octets.size();
    log_.add({.time = now_, .kind = kind, .side = side, .connection = connection_, .count = count}, octets);
    return *this;
  }
  LogWriter& note(std::string_view text) {
    log_.note(now_, text);
    return *this;
  }

  const inmem::EventLog& log() const { return log_; }
  std::uint32_t connection() const { return connection_; }

 private:
  inmem::EventLog log_;
  TimePoint now_{};
  std::uint32_t connection_ = 0;
};

}  // namespace pipette::test
