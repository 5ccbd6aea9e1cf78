#include "pipette/server/server.h"

#include <cassert>
#include <cstdio>
#include <utility>

#include "pipette/base/ascii.h"

namespace pipette::server {

Server::Server(Handler handler, ServerOptions options) : handler_(std::move(handler)), options_(std::move(options)) {
  constexpr std::size_t kMaxNameBytes = 256;
  if (!ascii::is_value(options_.name) || options_.name.size() > kMaxNameBytes) options_.name.clear();
}

// Most likely it stands in a body that ends before its lab does, or behind the lab in one that owns both.
Server::~Server() { assert(workers_ == 0 && "a Server outlives what serves it: declare it before the Lab"); }

void Server::log(std::string_view line) const {
  if (options_.log) {
    try {
      options_.log(line);
    } catch (...) {
      // A log that fails must not end what it is told about.
    }
  } else {
    std::fprintf(stderr, "%.*s\n", static_cast<int>(line.size()), line.data());
  }
}

}  // namespace pipette::server
