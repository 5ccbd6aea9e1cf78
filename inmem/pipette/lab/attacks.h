// Attacks: clients that mean no good, each in one call, on virtual time.
//
//   const attack::Report r = attack::slowloris(lab, "app:80", {.connections = 1000});
//   EXPECT_EQ(r.cut, 1000);   EXPECT_LE(r.latest_cut, 10s);            // by the deadline of the head
//
//   slowloris               an octet of a head now and then, for ever
//   slow_body               a whole head, then an octet of the body now and then
//   slow_read               asks for much, and reads an octet now and then, or never
//   pipelining_flood        requests without end, and reads what comes
//   header_bomb             a head of ever more fields
//   chunk_extension_flood   a body of tiny chunks with long extensions
//   connection_flood        ever more connections, each with one good request, that stay
//   half_open               connects and says nothing
//
// An attack runs until each of its connections was cut or refused, or until it gives up, and moves the lab's clock that
// far. Whatever else there is in the lab goes on meanwhile, such as the task of a good client. In the end it leaves,
// and everything it held is closed.
//
// To be cut is to be told the end or to be reset. A connection counts once.
//
// Errors    std::system_error for an address that is none. That nobody listens is a result: `refused`.
// Bounds    memory grows with connections times what the network buffers; responses are dropped as they are counted.
// Lifetime  the lab's tasks are as before when an attack returns.   Threads  one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string_view>

#include "pipette/base/time.h"
#include "pipette/lab/lab.h"

namespace pipette::lab::attack {

struct Report {
  std::size_t connections = 0;          // that were made
  std::size_t refused = 0;              // that were not
  std::map<int, std::size_t> answered;  // whole responses, by status
  std::size_t malformed = 0;            // connections on which something else came
  std::size_t cut = 0;                  // in order or with a reset
  std::size_t reset = 0;                // of those, with a reset
  Duration earliest_cut{};              // since the attack began; 0 when none was cut
  Duration latest_cut{};
  Duration took{};
  std::uint64_t bytes_sent = 0;
  std::uint64_t bytes_received = 0;
};

inline constexpr Duration kGiveUp = std::chrono::minutes(10);

struct Slowloris {
  std::size_t connections = 100;
  Duration interval = std::chrono::seconds(1);  // between octets
  Duration give_up = kGiveUp;
};
Report slowloris(Lab& lab, std::string_view address, const Slowloris& options = {});

struct SlowBody {
  std::size_t connections = 100;
  Duration interval = std::chrono::seconds(1);
  bool is_chunked = false;
  std::size_t body_bytes = 1'000'000;  // what the head promises
  Duration give_up = kGiveUp;
};
Report slow_body(Lab& lab, std::string_view address, const SlowBody& options = {});

struct SlowRead {
  std::size_t connections = 10;
  Duration interval{};            // between octets that are read; 0: none is
  std::size_t requests = 10'000;  // pipelined, or as many as are taken
  Duration give_up = kGiveUp;
};
Report slow_read(Lab& lab, std::string_view address, const SlowRead& options = {});

struct PipeliningFlood {
  std::size_t connections = 1;
  std::size_t requests = 10'000;  // on each; the last one says close
  Duration give_up = kGiveUp;
};
Report pipelining_flood(Lab& lab, std::string_view address, const PipeliningFlood& options = {});

struct HeaderBomb {
  std::size_t connections = 1;
  std::size_t head_bytes = 1024 * 1024;
  std::size_t field_bytes = 32;  // of each field
  Duration give_up = kGiveUp;
};
Report header_bomb(Lab& lab, std::string_view address, const HeaderBomb& options = {});

struct ChunkExtensionFlood {
  std::size_t connections = 1;
  std::size_t body_bytes = 1024 * 1024;
  std::size_t extension_bytes = 1000;  // of each chunk, which has one octet
  Duration give_up = kGiveUp;
};
Report chunk_extension_flood(Lab& lab, std::string_view address, const ChunkExtensionFlood& options = {});

struct ConnectionFlood {
  std::size_t connections = 1000;
  Duration give_up = kGiveUp;
};
Report connection_flood(Lab& lab, std::string_view address, const ConnectionFlood& options = {});

struct HalfOpen {
  std::size_t connections = 100;
  Duration give_up = kGiveUp;
};
Report half_open(Lab& lab, std::string_view address, const HalfOpen& options = {});

}  // namespace pipette::lab::attack

namespace pipette {
namespace attack = lab::attack;
}  // namespace pipette
