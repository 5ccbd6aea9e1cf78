// The machine's own network: TCP and Unix sockets, and the system's name service. See net/network.h for the rules.
//
// dial_first_of() gives each address of a name its share of the time that is left, so that one that never answers does
// not keep the others from their turn. IP literals never reach the name service, whose threads start with the first
// name.
//
// TODO(perf): Asio looks up one name at a time, so a look-up that hangs holds up those behind it (each still ends at
// its deadline), and the end of the program with them.
//
// Threads  the loop's.
#pragma once

#include "pipette/base/list.h"
#include "pipette/net/network.h"
#include "pipette/tcp/listening.h"

namespace pipette::tcp {

class Listener;
class Loop;

class Network final : public net::Network {
 public:
  explicit Network(Loop& loop) : loop_(loop) {}
  ~Network() override;

  using net::Network::listen;
  // A name is looked up here and now: its first IPv4 address, or else its first.
  Result<std::unique_ptr<net::Listener>> listen(const net::Address& address,
                                                const net::ListenOptions& options) override;
  Result<std::unique_ptr<net::Listener>> adopt_listener(int descriptor, const net::ListenOptions& options,
                                                        UnixPath path);
  std::vector<Listening> listening() const;
  void own_unix_path(const net::Address& path);
  void leave_unix_paths();

  using net::Network::dial;
  Task<Result<net::Connected>> dial(net::Address address, net::DialOptions options) override;
  Task<Result<std::vector<net::Address>>> resolve(std::string host, std::uint16_t port, TimePoint deadline) override;
  // The first of `addresses` that answers, tried in order; the error of the last when none does.
  Task<Result<net::Connected>> dial_first_of(std::vector<net::Address> addresses, net::DialOptions options);

 private:
  Task<Result<net::Connected>> dial_one(net::Address address, net::DialOptions options);
  Result<std::unique_ptr<net::Listener>> enlist(Result<std::unique_ptr<Listener>> listener);

  Loop& loop_;
  List<Listener> listeners_;  // those that listen
};

}  // namespace pipette::tcp
