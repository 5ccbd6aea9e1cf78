// Connection: HTTP on one connection of a client. Internal to client/.
//
//   write the head, and a small body ──> send ──> receive: interim responses, head, body
//
// Each phase has a deadline of its own within that of the call; what strikes says which it was.
//
// Lifetime  owned by its pool or by the lease of a call.   Threads  the loop's.
#pragma once

#include <cstdint>
#include <memory>

#include "pipette/async/loop.h"
#include "pipette/async/task.h"
#include "pipette/base/buffer.h"
#include "pipette/client/options.h"
#include "pipette/client/request.h"
#include "pipette/client/response.h"
#include "pipette/http/framing.h"
#include "pipette/http/head.h"
#include "pipette/http/head_parser.h"
#include "pipette/http/message_writer.h"
#include "pipette/http/uri.h"
#include "pipette/net/connection.h"

namespace pipette::client {

class Connection {
 public:
  Connection(async::Loop& loop, const ClientOptions& options, std::unique_ptr<net::Connection> stream);

  // Requests are for a proxy, which forwards them. It outlives the connection.
  void set_proxy(const Proxy& proxy) { proxy_ = &proxy; }

  // Whether the server has neither closed it nor said what nobody asked for.
  bool is_alive();
  // Writes the head, and a small body behind it, into the buffer. Nothing has been sent if that fails.
  Result<void> write_request(const http::HttpUrl& url, const Request& request);
  async::Soon<Result<void>> send(const Request& request, TimePoint deadline);
  Task<Result<void>> receive(const Request& request, TimePoint deadline, Response& response);

  // After a call that went well: whether there may be another.
  bool keeps_alive() const { return keeps_alive_; }
  // Of the call: whether any octet of the request went out, and any of a response came in.
  bool has_sent() const { return has_sent_; }
  bool has_received() const { return has_received_; }

  TimePoint opened_at() const { return opened_at_; }
  TimePoint idle_since() const { return idle_since_; }
  void begin_to_idle() { idle_since_ = loop_.now(); }
  bool is_reused() const { return is_reused_; }
  void set_reused() { is_reused_ = true; }

 private:
  Result<void> write_for_proxy(const http::HttpUrl& url, http::RequestHeadParts& parts, const Request& request);
  Result<void> write_parts(http::RequestHeadParts& parts, const Request& request);
  Task<Result<void>> send_slowly(const Request& request, std::size_t written, TimePoint deadline);
  Task<Result<void>> receive_body(http::BodyLength length, TimePoint deadline, Response& response);
  void limit(net::Direction direction, TimePoint deadline, Duration of_phase);
  std::error_code said_by(std::error_code error, TimePoint deadline, Errc phase) const;

  async::Loop& loop_;
  const ClientOptions& options_;
  const Proxy* proxy_ = nullptr;
  std::unique_ptr<net::Connection> stream_;
  Buffer in_;
  Buffer out_;
  http::ResponseParser parser_;
  http::ResponseHead head_;
  TimePoint opened_at_;
  TimePoint idle_since_{};
  bool is_reused_ = false;
  bool keeps_alive_ = true;
  bool has_sent_ = false;
  bool has_received_ = false;
};

}  // namespace pipette::client
