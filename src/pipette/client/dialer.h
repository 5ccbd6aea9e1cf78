// Dialer: from a name to a connection.
//
//   cached, or one look-up for all who ask ──> a place among max_concurrent ──> the race ──> Connected
//
//   [2001:db8::1]:80   ├──────────────────────────────╳   ended: somebody was faster
//   10.0.0.1:80           attempt_delay ──> ├───────✓     the first that connects
//   [2001:db8::2]:80                                      never begun
//
//   Dialer dialer(runtime);
//   Result<net::Connected> connected = co_await dialer.dial(*net::Address::parse("app:80"), deadline);
//
// Addresses take turns by family, IPv6 first. An attempt that fails starts the next one at once; when all have failed,
// the error is that of the first that got further than our own routing table. IP addresses and Unix paths are not
// looked up. Two timeouts bound a dial, each of a phase, and the caller's deadline bounds both.
//
// A look-up ends when nobody waits for it any more, whatever became of who asked first. Failures are not cached: the
// next dial asks again, and those who ask meanwhile share its answer.
//
// Spec      RFC 8305 §4, §5. Both families are looked up together, so §3 does not apply.
// Errors    resolve_timeout and connect_timeout at the end of a phase, timed_out at the caller's deadline; also
//           host_not_found where there is no address of a family that is wanted; bad_address for none; what the
//           network says.
// Lifetime  the runtime outlives it; it outlives its dials. Destroying a dial's task ends all it has begun.
// Threads   the loop's.
#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "pipette/async/task.h"
#include "pipette/base/list.h"
#include "pipette/base/result.h"
#include "pipette/base/time.h"
#include "pipette/net/address.h"
#include "pipette/net/runtime.h"

namespace pipette::client {

// Opens a connection, until the deadline.
using DialFunction = std::function<Task<Result<net::Connected>>(net::Address address, TimePoint deadline)>;

enum class IpFamilies : unsigned char { any, ipv4_only, ipv6_only };

struct DialerOptions {
  Duration resolve_timeout = std::chrono::seconds(5);
  Duration connect_timeout = std::chrono::seconds(5);  // of waiting for a place, and of all attempts together
  // Between the starts of two attempts; zero: one after the other, each with its share of the time.
  Duration attempt_delay = std::chrono::milliseconds(250);
  Duration dns_ttl = std::chrono::seconds(60);  // how long an answer is good; zero: each dial looks up
  std::size_t max_cached_hosts = 1024;          // beyond, the one that was not asked for longest goes
  std::size_t max_concurrent = 1000;            // dials that connect; the others wait in line. 0: no limit
  IpFamilies families = IpFamilies::any;
  bool rotate = false;         // each dial of a cached host begins at its next address
  net::Address local_address;  // where connections come from; only addresses of its family are dialed then
  // In place of the network: it is given what dial() was given, names unresolved. May throw, through dial().
  DialFunction dial;
};

// What a dial tells on its way. Each start has its done, unless the dial is destroyed between them. May not throw.
struct DialHooks {
  std::function<void(std::string_view host)> resolve_start;  // neither of these for what is cached
  std::function<void(std::string_view host, std::error_code error)> resolve_done;
  std::function<void(const net::Address& address)> connect_start;
  // operation_canceled: another attempt was faster, or the time was over.
  std::function<void(const net::Address& address, std::error_code error)> connect_done;
};

class Dialer {
 public:
  explicit Dialer(Runtime& runtime) : Dialer(runtime, DialerOptions()) {}
  Dialer(Runtime& runtime, DialerOptions options);
  Dialer(const Dialer&) = delete;
  Dialer& operator=(const Dialer&) = delete;
  ~Dialer();

  // `hooks` outlive the task.
  Task<Result<net::Connected>> dial(net::Address address, TimePoint deadline, const DialHooks* hooks = nullptr);

  // The addresses that dial() would try, in that order; never empty.
  Task<Result<std::vector<net::Address>>> resolve(net::Address address, TimePoint deadline,
                                                  const DialHooks* hooks = nullptr);

  // What is known of a host, or of all; an answer that is on its way is not kept either.
  void forget(std::string_view host);
  void forget();

  std::size_t cached_hosts() const { return known_.size(); }
  std::size_t dialing() const { return dialing_; }

 private:
  class Place;
  class Race;
  struct Lookup;
  class Question;

  using Addresses = std::vector<net::Address>;

  // What a host name means, and until when.
  struct Known : ListNode {
    std::string_view host;  // its key
    Addresses addresses;
    TimePoint until;
    std::size_t turn = 0;  // of the next dial, with options.rotate
  };
  // When a phase ends, and with which error.
  struct Limit {
    TimePoint at;
    Errc error;
  };

  Limit limit(Duration timeout, Errc error, TimePoint deadline) const;
  Task<Result<Addresses>> find(std::string host, TimePoint deadline, const DialHooks* hooks);
  Task<Result<net::Connected>> connect(Addresses targets, TimePoint deadline, const DialHooks* hooks);
  Task<> look_up(Lookup& lookup, TimePoint deadline);
  Task<Result<net::Connected>> open(net::Address address, TimePoint deadline);

  const Addresses* find_known(const std::string& host);
  void keep(const std::string& host, const Addresses& addresses);
  std::size_t take_turn(const std::string& host);
  Addresses in_order(const Addresses& found, std::uint16_t port, std::size_t turn) const;
  bool wants(const net::Address& address) const;
  void leave_place();

  Runtime& runtime_;
  DialerOptions options_;
  std::map<std::string, Known, std::less<>> known_;
  List<Known> by_use_;  // the one not used for longest first
  std::list<Lookup> lookups_;
  std::size_t dialing_ = 0;
  List<Place> line_;  // those who wait for a place
};

}  // namespace pipette::client
