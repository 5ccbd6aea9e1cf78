// The story of a world: its event log as text for people, one line an event, messages instead of octets.
//
//   text(world.log())  -->  +0.000000000  conn 1  client dials app:80
//                           +0.000000000  conn 1  client -> app  POST /x HTTP/1.1 (3 fields, 41 of 100 body bytes)
//                           +5.000000000  conn 1  app has waited long enough to read
//                           +5.000000000  conn 1  app -> client  408 Request Timeout (3 fields, no body)
//
//   describe_progress(world.log(), 1)  -->  app waits for 59 more body bytes of POST /x; client has sent 41 of 100
//
// Each direction of each connection is followed across the events (message_follower.h), so a line says which message
// its octets belong to, however they were cut. Octets that are no HTTP stand there quoted; everything else is told as
// in inmem/transcript.h. Equal logs give equal text.
//
// Spec      the side that dialed speaks first: it sends requests, the other one responses.
// Bounds    a line shows 96 octets at most, and four messages; a log that dropped its beginning says so, and what it
//           still has of a connection that began before is shown as octets.
// Lifetime  reads the log during the call only; a Story borrows it.   Threads  the log's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "pipette/inmem/event_log.h"

namespace pipette::lab {

namespace internal {
struct FollowedConnection;
}  // namespace internal

// All of it, each line with its end.
std::string text(const inmem::EventLog& log);
// The last `count` events, oldest first, each indented by two spaces; in front, how many there were before.
std::string tail(const inmem::EventLog& log, std::size_t count);
// The same events, the last one first: for failures, whose cause is mostly near the end.
std::string last_first(const inmem::EventLog& log, std::size_t count);
// Every event, and under those that sent something, all of its octets: heads line by line, indented by four spaces.
// Of what is no head, the first 1024 and a checksum.
std::string text_with_octets(const inmem::EventLog& log);

// Where HTTP stands on a connection, as clauses joined by "; ":
//
//   app waits for 59 more body bytes of POST /x; client has sent 41 of 100
//   app has sent 13 of 72 body bytes of the response to GET /y
//   request 3, GET /z, has been sent whole; no response yet
//   idle after 2 exchanges
std::string describe_progress(const inmem::EventLog& log, std::uint32_t connection);

// Tells a log event by event: for those who need some of its lines.
class Story {
 public:
  explicit Story(const inmem::EventLog& log);
  Story(const Story&) = delete;
  Story& operator=(const Story&) = delete;
  ~Story();

  // The event that is told next, from 0; log.size() behind the last one.
  std::size_t at() const { return at_; }
  bool has_next() const;
  // The line of that event, without its end.
  std::string next();
  // The same for what text_with_octets() shows: perhaps several lines.
  std::string next_with_octets();
  // Goes on to event `index`, telling nothing. Not back.
  void skip_to(std::size_t index);

 private:
  std::string next_line(std::string* octets);
  internal::FollowedConnection& followed(const inmem::Event& event);

  const inmem::EventLog* log_;
  std::size_t at_ = 0;
  std::vector<std::unique_ptr<internal::FollowedConnection>> connections_;  // by number
};

}  // namespace pipette::lab
