// The network inside a world: listeners by address, names, and pipes between those who dial and those who
// accept. No time passes in it.
//
//   network.listen("app:80")  gives the name "app" an address;  dial("app:80") finds it by name or by address
//
// Errors    host_not_found for a name nobody listens under, connection_refused where nobody listens or the
//           backlog is full, address_in_use; fail_accept() makes the next accepts of a listener fail.
// Lifetime  outlived by nothing made from it.   Threads  one.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "pipette/inmem/loop.h"
#include "pipette/inmem/pipe.h"
#include "pipette/inmem/transcript.h"
#include "pipette/net/network.h"

namespace pipette::inmem {

class MemoryListener;

class Network final : public net::Network {
 public:
  Network(Loop& loop, Transcript& transcript);
  ~Network() override;

  using net::Network::listen;
  Result<std::unique_ptr<net::Listener>> listen(const net::Address& address,
                                                const net::ListenOptions& options) override;
  Task<Result<net::Connected>> dial(net::Address address, TimePoint deadline) override;
  Task<Result<std::vector<net::Address>>> resolve(std::string host, std::uint16_t port, TimePoint deadline) override;

  // dial() without waiting: in memory nobody has to.
  Result<net::Connected> dial_now(const net::Address& address);

  // Buffers and segmentation of connections made from now on.
  void set_pipe_options(const PipeOptions& options) { pipe_options_ = options; }
  // The next `count` accepts at `address` fail with `error`.
  void fail_accept(const net::Address& address, Errc error, int count = 1);

  // A line for each wait that is pending on a connection or a listener.
  std::string describe_waits() const;

 private:
  friend class MemoryListener;

  static constexpr std::uint16_t kFirstDynamicPort = 49152;  // RFC 6335 §6

  struct Host {
    std::string name;
    net::Address address;
  };

  Result<net::Address> locate(const net::Address& address) const;
  net::Address locate_or_add(const net::Address& address);
  std::uint16_t choose_port();
  MemoryListener* find_listener(const net::Address& address) const;

  Loop& loop_;
  Transcript& transcript_;
  PipeOptions pipe_options_;
  std::vector<Host> hosts_;
  std::vector<MemoryListener*> listeners_;
  List<PipeEnd> ends_;
  std::uint16_t next_port_ = kFirstDynamicPort;
  std::uint64_t connections_ = 0;
};

}  // namespace pipette::inmem
