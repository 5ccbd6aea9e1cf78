// RequestWriter: the head of a request, as its user, the call and the way to the server want it. Internal to client/.
//
//   the request's own fields > of the call (Terms::fields);  Terms::overrides > both; on top what a proxy needs
//
// Errors    those of http::write_request_head; bad_method for CONNECT and what is no method; managed_field.
#pragma once

#include <string>

#include "pipette/base/buffer.h"
#include "pipette/base/result.h"
#include "pipette/client/options.h"
#include "pipette/client/request.h"
#include "pipette/client/terms.h"
#include "pipette/http/framing.h"
#include "pipette/http/message_writer.h"
#include "pipette/http/uri.h"

namespace pipette::client {

// Whether it is worth a connection; the rest is seen when it is written.
Result<void> check(const Request& request);

// A body that is as large goes out from where it is; a smaller one together with the head.
inline constexpr std::size_t kLargeBodyBytes = 16 * 1024;

class RequestWriter {
 public:
  explicit RequestWriter(const ClientOptions& options) : options_(options) {}

  // Requests are for a proxy, which forwards them. It outlives the writer.
  void set_proxy(const Proxy& proxy) { proxy_ = &proxy; }
  // Appends the head, and a small body behind it; how the body is framed. Nothing is appended after an error.
  Result<http::BodyLength> write(Buffer& out, const http::HttpUrl& url, const Request& request, const Terms& terms);

 private:
  Result<http::RequestTarget> whole_target(const http::HttpUrl& url);
  Result<void> dress(const Request& request, const Terms& terms);

  const ClientOptions& options_;
  const Proxy* proxy_ = nullptr;
  http::OwnedFields dressed_;
  std::string path_;  // for a proxy
};

}  // namespace pipette::client
