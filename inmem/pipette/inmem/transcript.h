// A world's event log as plain text: one line an event, stamped with virtual time, octets quoted (text.h).
//
//   +10.000000000  conn 1  app -> client  72 B  "HTTP/1.1 408 Request Timeout\r\n…"
//
// lab/ tells the same story with the messages decoded.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "pipette/inmem/event_log.h"

namespace pipette::inmem {

// Of one event, without a line end.
std::string line(const EventLog& log, const Event& event);
std::string transcript(const EventLog& log);
// The same, a string a line.
std::vector<std::string> transcript_lines(const EventLog& log);
// The last `count` lines, each indented by two spaces.
std::string transcript_tail(const EventLog& log, std::size_t count);

}  // namespace pipette::inmem
