// EventLog: what happened in a world, in order, and a running hash of it.
//
//   world.log() --> [ time | kind | connection, side | octets ] [ … ] …    --> hash()
//
// The log is kept as values and octets, not as text: noting an event costs some tens of nanoseconds, so it is on by
// default, also in a world that lives for ten microseconds. transcript.h makes text of it, and the lab draws, diffs and
// exports it (lab/pcap.h, lab/diagram.h).
//
// Two runs of the same test give the same events, and so the same hash, in any process and with any compiler: nothing
// here is an address, a real time or a text of the system's.
//
// Bounds     keeps the events of the last `kept_bytes` or so, and counts what it dropped; the hash is of all that ever
//            happened. Facts of connections are never dropped, since any event may name one: 160 bytes each on a 64-bit
//            machine, and what names need beyond 15 characters, so a million connections take some 160 MB.
// Lifetime   owned by its World; a view of an event is good until the next event.   Threads  one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "pipette/base/bytes.h"
#include "pipette/base/time.h"

namespace pipette::inmem {

enum class EventKind : std::uint8_t {
  note,           // text: what a test or the lab has to say
  listen,         // text: the address
  dial,           // text: "client 10.0.0.1:49152 -> app:80 10.0.1.1:80"; connection is new
  refused,        // text: who dialed whom, and why it failed
  accepted,       // the server took the connection
  accept_failed,  // text: why
  resolved,       // text: the name and its answer
  sent,           // octets: what `side` wrote, as the network took it
  received,       // `count` octets of what took time have reached the other side; 0: the end has
  finished,       // side has finished sending (FIN)
  closed,         // side closed its end
  reset,          // text: why; side: who caused it
  timed_out,      // text: "read" or "write"; side: whose deadline passed
  fault,          // text: the fault that struck, and where
  link,           // text: what changed on a link ("client -> app: black hole")
  keys,           // text: a line of a key log (SSLKEYLOGFILE), with which a capture is read
};

std::string_view to_string(EventKind kind);

inline constexpr std::uint8_t kNoSide = 2;

// What an event is, without its text or octets.
struct EventHeader {
  TimePoint time{};
  EventKind kind = EventKind::note;
  std::uint8_t side = kNoSide;   // of the connection: 0 who dialed, 1 who accepted
  bool takes_time = false;       // what is sent or finished arrives later: a `received` will tell when, if ever
  std::uint32_t connection = 0;  // its number in this world, from 1; 0: none
  std::uint64_t count = 0;       // of octets, where there are any
};

struct Event : EventHeader {
  Bytes octets;  // a text, or what was sent
};

// What is known of a connection: made when it is dialed, and kept as long as the log.
struct ConnectionFacts {
  std::string label;                     // "conn 1"
  std::array<std::string, 2> names;      // of the hosts: who dialed, who accepted
  std::array<std::string, 2> addresses;  // "10.0.0.1:49152"
};

class EventLog {
 public:
  static constexpr std::size_t kKeptBytes = 64 * 1024 * 1024;

  explicit EventLog(std::size_t kept_bytes = kKeptBytes) : kept_bytes_(kept_bytes) {}

  // Events are noted only while this is on.
  bool is_recording() const { return is_recording_; }
  void set_recording(bool on) { is_recording_ = on; }

  void add(const EventHeader& header, Bytes octets = {});
  // The octets are those of all pieces, one after the other, up to header.count.
  void add(const EventHeader& header, const Bytes* pieces, std::size_t piece_count);
  void note(TimePoint now, std::string_view text) { add({.time = now, .kind = EventKind::note}, text); }

  // Numbers a new connection, from 1.
  std::uint32_t add_connection(ConnectionFacts facts);
  // Of a connection that exists.
  const ConnectionFacts& connection(std::uint32_t number) const { return connections_[number - 1]; }
  std::size_t connections() const { return connections_.size(); }

  // Events that are kept, the oldest first.
  std::size_t size() const { return events_.size(); }
  bool empty() const { return events_.empty(); }
  Event operator[](std::size_t index) const;
  // Events that happened before the first one that is kept.
  std::uint64_t dropped() const { return dropped_; }

  // 128 bits over everything that ever happened, as 32 hexadecimal digits.
  std::string hash() const;
  // The first 64 of them.
  std::uint64_t short_hash() const;

 private:
  struct Entry : EventHeader {
    std::size_t at = 0;  // where its octets stand in octets_
    std::size_t size = 0;
  };

  void hash_in(Bytes octets);
  void drop_older_half();

  std::size_t kept_bytes_;
  bool is_recording_ = true;
  std::vector<Entry> events_;
  std::string octets_;
  std::vector<ConnectionFacts> connections_;
  std::uint64_t dropped_ = 0;
  std::array<std::uint64_t, 2> hash_{0x9e3779b97f4a7c15, 0xbf58476d1ce4e5b9};
};

}  // namespace pipette::inmem
