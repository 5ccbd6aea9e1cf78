#include "pipette/server/server.h"

#include <cassert>
#include <cstdio>
#include <string>
#include <utility>

#include "pipette/base/ascii.h"

namespace pipette::server {
namespace {

// Much of it may be what some client has sent: a line stays one.
std::string as_line(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string line;
  line.reserve(text.size());
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (octet >= 0x20 && octet != 0x7f) {
      line += c;
    } else {
      line.append("\\x").append(1, kDigits[octet >> 4]).append(1, kDigits[octet & 0xf]);
    }
  }
  return line;
}

}  // namespace

std::string_view to_string(ConnState state) {
  switch (state) {
    case ConnState::accepted:
      return "accepted";
    case ConnState::active:
      return "active";
    case ConnState::idle:
      return "idle";
    case ConnState::hijacked:
      return "hijacked";
    case ConnState::closed:
      return "closed";
  }
  return "unknown";
}

Server::Server(Handler handler, ServerOptions options)
    : places_(options.concurrency, options.max_conns_per_ip),
      handler_(std::move(handler)),
      options_(std::move(options)) {
  constexpr std::size_t kMaxNameBytes = 256;
  if (!ascii::is_value(options_.name) || options_.name.size() > kMaxNameBytes) options_.name.clear();
}

// Most likely it stands in a body that ends before its lab does, or behind the lab in one that owns both.
Server::~Server() { assert(workers_.empty() && "a Server outlives what serves it: declare it before the Lab"); }

void Server::enter(const Metrics& worker) const {
  const std::lock_guard lock(mutex_);
  workers_.push_back(&worker);
}

void Server::leave(const Metrics& worker) const {
  const std::lock_guard lock(mutex_);
  std::erase(workers_, &worker);
  add_to(gone_, worker, false);
}

MetricsSnapshot Server::metrics() const {
  const std::lock_guard lock(mutex_);
  MetricsSnapshot sum = gone_;
  for (const Metrics* worker : workers_) add_to(sum, *worker);
  return sum;
}

void Server::log(std::string_view line) const {
  const std::string text = as_line(line);
  if (options_.log) {
    try {
      options_.log(text);
    } catch (...) {
      // A log that fails must not end what it is told about.
    }
  } else {
    std::fprintf(stderr, "%s\n", text.c_str());
  }
}

}  // namespace pipette::server
