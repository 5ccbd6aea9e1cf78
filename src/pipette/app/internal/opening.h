// Opening: what a crew listens at, before it runs.
//
//   an address ──> sockets that were given │ else new ones ──> one a loop │ else one for all, handed out by the first
//
// Errors    std::system_error, with the address.
// Lifetime  the crew outlives it.   Threads  the one that made the crew.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "pipette/app/inherited.h"
#include "pipette/app/internal/crew.h"
#include "pipette/app/serve.h"

namespace pipette::app {

// A descriptor that listens, as another process of ours is given it.
struct Passed {
  int descriptor = -1;
  bool owns_path = false;  // of a Unix socket: whoever has it last removes its path
};

class Opening {
 public:
  Opening(Crew& crew, const Server& server, const ServeOptions& options);

  void open(const ListenAt& where);
  // Serves what was given for another address, where that is asked for, and closes what nobody else could serve.
  void finish();

  // From now on the paths are ours to remove that were given with their sockets, and those that nobody asked for are:
  // whoever gave them has let go.
  void own_paths();

  // Where the crew listens, each address once.
  const std::vector<net::Address>& addresses() const { return addresses_; }
  // Each listening descriptor, for as long as the crew listens.
  const std::vector<Passed>& passed() const { return passed_; }

 private:
  using Listener = std::unique_ptr<net::Listener>;

  void open_for_each(const net::Address& address, net::ListenOptions listening, const std::vector<Inherited>& given,
                     net::Security* security);
  void open_for_all(const net::Address& address, const net::ListenOptions& listening,
                    const std::vector<Inherited>& given, net::Security* security);
  Listener adopt(std::size_t member, const Inherited& given, const net::ListenOptions& listening);
  Listener listen(const net::Address& address, const net::ListenOptions& listening);
  void add_for_all(Listener listener, net::Security* security);
  void leave(const Inherited& left);

  Crew& crew_;
  const Server& server_;
  const ServeOptions& options_;
  std::vector<Inherited> given_;
  std::vector<net::Address> addresses_;
  std::vector<net::Address> paths_to_own_;    // of Unix sockets that were given with their paths
  std::vector<net::Address> paths_to_leave_;  // of Unix sockets that somebody else looks after
  std::vector<Passed> passed_;
  std::vector<Listener> unwanted_;  // of Unix sockets that were given with their paths
};

}  // namespace pipette::app
