// What happened in a world, as a picture: a lane a host, an arrow a message, time from top to bottom.
//
//          client                     app
//   0 s      1--- GET /hello HTTP/1.1 -->|        a number is that of the connection; a slope is the time a link takes
//            |<------ HTTP/1.1 200 OK ---1
//   ~ 10 s ~ |                           |        silence is cut short, and says how long it was
//            |           read timed out  x
//
// sequence_diagram() is one HTML file to open from a CI's artifacts: no script, nothing loaded, light and dark.
// Pointing at a mark shows its octets, a click keeps them open, and boxes above the picture hide connections. Segments
// that a side writes at one moment are one arrow. mermaid() says the same as text for a README or an issue:
// ```mermaid blocks are drawn by GitHub and GitLab.
//
// Names, texts and octets are whatever a peer sent: all that is not printable ASCII is written as \xff, the rest is
// escaped, and the page forbids scripts and loading (Content-Security-Policy) in case that were not enough.
//
// Bounds    the last 2,000 events, the first KiB of each message, 24 lanes, a box for each of the first 64 connections
//           in the picture; in Mermaid, the last events that fit into 48,000 characters. Both say what they left out.
// Lifetime  reads the log during the call only.   Threads  those of the log: one.
#pragma once

#include <string>
#include <string_view>

#include "pipette/inmem/event_log.h"

namespace pipette::lab {

// `title` is the author's and may be UTF-8. The same log and title give the same octets.
std::string sequence_diagram(const inmem::EventLog& log, std::string_view title = "What happened");

std::string mermaid(const inmem::EventLog& log);

}  // namespace pipette::lab
