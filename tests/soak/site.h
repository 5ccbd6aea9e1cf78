// Site: the server of the soak, with http and https beside each other on two loops, and certificates that change while
// it serves.
//
//   Site site(5s);
//   dial(site.plain());   dial(site.secured());   options.trust = site.trust();
//   site.change_certificate();
//   site.stop();   site.metrics()
//
//   /hello?n=7  "7"                                  /big      kBigBytes of big_octet(), streamed
//   /echo       the body                             /endless  the same, until the client has gone
//   /blocks     "done", from a thread of the pool
//
// Its limits are the defaults. Its time-outs are all `patience`, so that who is slow is cut within a round. On a
// machine that stands still for so long they cut everybody.
//
// Errors    std::runtime_error for a good certificate that is refused and for a bad one that is taken.
// Threads   that of its owner, and two of its own; metrics() and resumed() from any.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <future>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "pipette/app/serve.h"
#include "pipette/async/task.h"
#include "pipette/base/time.h"
#include "pipette/net/address.h"
#include "pipette/server/server.h"
#include "pipette/tls/authority.h"
#include "pipette/tls/security.h"

namespace pipette::soak {

inline constexpr std::size_t kBigBytes = 1024 * 1024;

// The octet of a big body at that place.
constexpr char big_octet(std::size_t place) { return static_cast<char>('a' + place % 23); }

class Site {
 public:
  static constexpr std::size_t kLoops = 2;
  static constexpr std::size_t kCertificates = 4;

  explicit Site(Duration patience);
  Site(const Site&) = delete;
  Site& operator=(const Site&) = delete;
  ~Site();

  const net::Address& plain() const { return addresses_[0]; }
  const net::Address& secured() const { return addresses_[1]; }
  tls::Trust trust() const { return authority_.trust(); }

  // Files that are good, files that are not, identities from memory, good and bad: one after the other.
  void change_certificate();
  std::uint64_t changes() const { return changes_; }

  server::ShutdownReport stop();
  server::MetricsSnapshot metrics() const { return server_.metrics(); }
  // Requests for /hello on connections whose handshake was resumed.
  std::uint64_t resumed() const { return resumed_; }

 private:
  Task<> answer(RequestCtx& ctx);
  void start();
  void write_files(const std::string& chain, const std::string& key) const;
  tls::Identity files() const;

  tls::Authority authority_;
  std::filesystem::path folder_;
  std::vector<tls::Identity> identities_;
  std::unique_ptr<tls::Security> security_;
  std::uint64_t changes_ = 0;
  std::atomic<std::uint64_t> resumed_ = 0;
  const Handler blocks_;
  const Server server_;
  std::stop_source stop_;
  std::vector<net::Address> addresses_;
  std::future<server::ShutdownReport> report_;  // waits when it dies
};

}  // namespace pipette::soak
