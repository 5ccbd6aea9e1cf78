// The network inside a world: names and addresses, listeners, links between hosts, and pipes between those who dial and
// those who accept.
//
//   client ──dial──> [ link client -> app ] ──> listener app:80      a link a direction; without toxics no time passes
//          <──────── [ link app -> client ] <──
//
// A host listens at its own address, under its name, and under any name nobody has: that name then belongs to it.
// Names are looked up as the host that asks does: "localhost" is itself. A name with several addresses is dialed one
// address after the other, each with an equal share of the time. Listeners with reuse_port share their address, and
// chance takes one for each connection.
//
// Errors    host_not_found for an unknown name, connection_refused where nobody listens or the backlog is full,
//           address_in_use; timed_out at the deadline where a link swallows what it gets.
// Lifetime  outlives what was made from it.   Threads  one.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pipette/async/task.h"
#include "pipette/inmem/event_log.h"
#include "pipette/inmem/faults.h"
#include "pipette/inmem/host.h"
#include "pipette/inmem/link.h"
#include "pipette/inmem/loop.h"
#include "pipette/inmem/pipe.h"
#include "pipette/net/network.h"

namespace pipette::inmem {

class MemoryListener;

// What a look-up of a name says, when it is not what the world knows.
struct ResolverAnswer {
  std::vector<net::Address> addresses;  // each with the port that was asked for; none: host_not_found
  Duration delay{};                     // before it comes
  bool is_silent = false;               // it never comes
};

// A listener or a connection, as netstat shows it.
struct SocketRow {
  std::uint32_t connection = 0;  // its number; 0: a listener
  std::string state;             // LISTEN, ESTABLISHED, FIN_WAIT, CLOSE_WAIT, CLOSED, RESET
  std::string host;
  std::string local;
  std::string remote;
  std::size_t receive_queue = 0;  // arrived and not read; of a listener: not accepted
  std::size_t send_queue = 0;     // accepted and not arrived
  std::string waits;              // "to read, until +10.0"; empty when nobody does
};

class Network {
 public:
  Network(Scheduler& scheduler, Decisions& decisions, Faults& faults, EventLog& log, WallTime start);
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;
  ~Network();

  // ---- as a host's Runtime asks; `loop` is the one that waits
  Result<std::unique_ptr<net::Listener>> listen(Host& host, Loop& loop, const net::Address& address,
                                                const net::ListenOptions& options);
  Task<Result<net::Connected>> dial(Host& host, Loop& loop, net::Address address, net::DialOptions options);
  Task<Result<std::vector<net::Address>>> resolve(Host& host, Loop& loop, std::string name, std::uint16_t port,
                                                  TimePoint deadline);
  // dial() without waiting; would_block where it would have to. No fault strikes it, nor its look-up.
  Result<net::Connected> dial_now(Host& host, Loop& loop, const net::Address& address);

  // ---- as a test asks
  void add_host(Host& host);
  // For a host, or one more name of one.
  net::Address next_address();
  // From `from` to `to`, by the names of their hosts, which must exist.
  Link& link(Host& from, Host& to);
  Host* find_host(std::string_view name) const;

  // Of connections made from now on, on links that have no options of their own.
  void set_pipe_options(const net::ChannelOptions& options) { channel_options_ = options; }
  const net::ChannelOptions& pipe_options() const { return channel_options_; }
  // What the network may do without being at fault, to connections made from now on.
  void set_leeway(const Leeway& leeway) { leeway_ = leeway; }
  // Where what is sent is cut, on each connection made from now on.
  void set_cut(std::optional<Cut> cut) { cut_ = cut; }
  // The next `count` accepts at `address` fail with `error`: an Errc, or what a system may say else, such as
  // std::make_error_code(std::errc::not_enough_memory). Throws std::system_error where nobody listens.
  void fail_accept(const net::Address& address, std::error_code error, int count = 1);
  // What look-ups of `name` say from now on.
  void set_answer(std::string name, ResolverAnswer answer) { answers_[std::move(name)] = std::move(answer); }
  void clear_answer(const std::string& name) { answers_.erase(name); }

  // Every listener, then every end of a connection, in the order they were made.
  std::vector<SocketRow> sockets() const;
  // A line for each wait that is pending on a connection or a listener.
  std::string describe_waits() const;
  // Those of which somebody still holds an end, in order.
  std::vector<std::uint32_t> open_connections() const;
  // Every link as it was made, with no toxics; and no connection stalls or will be struck by a trigger.
  void heal();

 private:
  friend class MemoryListener;

  static constexpr std::uint16_t kFirstDynamicPort = 49152;  // RFC 6335 §6

  // A name or an address, and whose it is.
  struct Entry {
    std::string name;
    net::Address address;
    Host* host;
  };

  Result<net::Address> locate(const Host& asking, const net::Address& address) const;
  net::Address locate_or_add(Host& host, const net::Address& address);
  Host* host_at(const net::Address& address) const;
  Link* find_link(const Host& from, const Host& to) const;
  Host* host_behind(const net::Address& target) const;
  Task<Result<net::Connected>> dial_one(Host& host, Loop& loop, net::Address address, net::Address target,
                                        net::DialOptions options);
  Task<Result<void>> shake_hands(Host& from, Host& to, Loop& loop, TimePoint deadline);
  Errc strike_dial();
  std::uint16_t choose_port();
  MemoryListener* find_listener(const net::Address& address) const;
  MemoryListener* choose_listener(const net::Address& address);
  Result<net::Connected> connect(Host& host, Loop& loop, const net::Address& target,
                                 const net::Address& local = net::Address());
  Result<void> check_local(const Host& host, const net::Address& target, const net::Address& local) const;
  std::unexpected<std::error_code> refuse(const Host& host, const net::Address& address, const net::Address& target,
                                          Errc error);

  Scheduler& scheduler_;
  Decisions& decisions_;
  Faults& faults_;
  EventLog& log_;
  Loop wire_loop_;  // true time: when what is under way arrives
  net::ChannelOptions channel_options_;
  Leeway leeway_;
  std::optional<Cut> cut_;
  std::vector<Entry> entries_;
  std::vector<Host*> hosts_;
  std::vector<MemoryListener*> listeners_;
  std::map<std::pair<std::uint16_t, std::uint16_t>, std::unique_ptr<Link>> links_;
  std::map<std::string, ResolverAnswer> answers_;
  List<PipeEnd> ends_;
  std::uint16_t next_port_ = kFirstDynamicPort;
  std::uint16_t next_number_ = 0;
};

}  // namespace pipette::inmem
