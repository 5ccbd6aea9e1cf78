// What can be reached: listening, dialing, resolving names.
//
//   auto listener = network.listen(*Address::parse("app:80"));
//   Result<Connected> c = co_await network.dial(*Address::parse("app:80"), after(loop.now(), 3s));
//
// dial() resolves names itself and tries their addresses in order. It ends at its deadline, whatever it
// waits for: a system look-up that cannot be cancelled is left to the resolver.
//
// Errors    Errc::connection_refused (nobody listens, also at a Unix path that does not exist), host_not_found,
//           timed_out, address_in_use, bad_address, too_many_open_files, …; for a local address also
//           address_not_available (it is not one of this host's), and bad_address when it is of another family.
// Lifetime  the network outlives its tasks.   Threads  its loop's.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pipette/async/task.h"
#include "pipette/base/result.h"
#include "pipette/base/time.h"
#include "pipette/net/address.h"
#include "pipette/net/listener.h"

namespace pipette::net {

// After how much silence a peer is probed that was dialed or, unless ListenOptions say otherwise, accepted.
inline constexpr Duration kKeepAlive = std::chrono::seconds(15);

struct ListenOptions {
  int backlog = 1024;       // connections that may wait to be accepted; more are refused
  bool reuse_port = false;  // share the address with other listeners of this process (TCP)
  // Of silence, after which the system probes whether the peer of an accepted connection is still there (TCP), and of
  // each pause between nine such probes; then the connection breaks. Rounded up to whole seconds; zero: no probes.
  Duration keep_alive = kKeepAlive;
  // A connection is accepted when its first octets are there, or else after so long (TCP, on systems that can). In
  // whole seconds, rounded up, and as the system has it; zero: at once. For protocols whose clients speak first.
  Duration defer_accept{};
  // How many connections may bring their first octets before their handshake is over (TCP, where the system allows it;
  // RFC 7413). Such a request may arrive twice. Zero: none.
  int fast_open = 0;
  // Who may connect to a Unix socket: its file's permissions, such as 0660. Without it they are the umask's.
  std::optional<unsigned> unix_mode{};
};

struct DialOptions {
  TimePoint deadline = kNever;
  // Where the connection comes from; port 0: any free one. Kind::none: the system chooses.
  Address local;
  // Sends the first octets with the handshake to a peer that has agreed to that before (TCP, where the system allows
  // it; RFC 7413). Such a dial is over at once, and the first write or read tells whether anybody is there; the octets
  // may arrive twice, so they should be a request that may be repeated.
  bool fast_open = false;
};

class Network {
 public:
  Network() = default;
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;
  virtual ~Network() = default;

  // Port 0 asks for any free one; Listener::address() tells which.
  virtual Result<std::unique_ptr<Listener>> listen(const Address& address, const ListenOptions& options) = 0;
  Result<std::unique_ptr<Listener>> listen(const Address& address) { return listen(address, ListenOptions()); }

  virtual Task<Result<Connected>> dial(Address address, DialOptions options) = 0;
  Task<Result<Connected>> dial(Address address, TimePoint deadline) {
    DialOptions options;
    options.deadline = deadline;
    return dial(std::move(address), std::move(options));
  }

  // The addresses of `host`, each with `port`; never empty.
  virtual Task<Result<std::vector<Address>>> resolve(std::string host, std::uint16_t port, TimePoint deadline) = 0;
};

}  // namespace pipette::net
