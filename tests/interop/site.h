// Site: a server of somebody else's, or ours, with the pages that every site has.
//
//   /hello       "Hello", with an ETag                    /chunked     "one two three", in chunks
//   /big         10 MB, big_body()                        /last        "last", and the connection is closed
//   /store/X     as it was PUT there                      /round       302, to itself
//   /seen        method and length that arrived:          /moved/N     status N, 301 302 303 307 308, to /seen
//                "POST 5", "GET "
//
//   nginx     by a file of settings (nginx.cc)      nethttp    of Go, a program beside (nethttp/main.go)
//   pipette   our own server, on the same loop
//
// Lifetime  the loopback outlives it.   Threads  that of the test.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>

#include "tests/interop/loopback.h"

namespace pipette::interop {

class Site {
 public:
  Site() = default;
  Site(const Site&) = delete;
  Site& operator=(const Site&) = delete;
  virtual ~Site() = default;

  virtual std::uint16_t port() const = 0;
  // It accepts nothing any more, and its connections are closed.
  virtual void stop() = 0;

  std::string url(std::string_view path, std::string_view host = "127.0.0.1") const;
};

using StartSite = std::function<std::unique_ptr<Site>(Loopback&)>;

// Throw what a Child does.
std::unique_ptr<Site> start_nginx(Loopback& loopback);
std::unique_ptr<Site> start_nethttp(Loopback& loopback);
std::unique_ptr<Site> start_pipette(Loopback& loopback);

const std::string& big_body();

struct SiteCase {
  std::string name;
  StartSite start;
};
// Named as GoogleTest wants it.
inline void PrintTo(const SiteCase& site, std::ostream* out) {  // NOLINT(readability-identifier-naming)
  *out << site.name;
}

}  // namespace pipette::interop
