// The sessions that a client may resume, by the name of the server. A session of TLS 1.3 is given out once, so that
// nobody can tell that two connections come from the same client (RFC 8446 §C.4).
//
// Bounds   servers: as many as the constructor says, the one that was heard of longest ago goes first; four sessions
//          of each.   Threads  any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "pipette/tls/internal/openssl.h"

namespace pipette::tls {

class SessionStore {
 public:
  explicit SessionStore(std::size_t max_servers) : max_servers_(max_servers) {}

  // Not one of an epoch that is over.
  void put(const std::string& server, OwnedSession session, std::uint64_t epoch);
  // Null when there is none.
  OwnedSession take(const std::string& server);
  // Forgets all: those that come to know servers from now on trust others.
  void begin_epoch(std::uint64_t epoch);
  std::uint64_t epoch() const;

 private:
  struct Server {
    std::uint64_t heard_of = 0;
    std::vector<OwnedSession> sessions;
  };

  mutable std::mutex mutex_;
  std::size_t max_servers_;
  std::uint64_t puts_ = 0;
  std::uint64_t epoch_ = 0;
  std::map<std::string, Server, std::less<>> servers_;
};

}  // namespace pipette::tls
