// Connection: HTTP on one connection of a client. Internal to client/.
//
//   begin() ──> send() ──> try_receive_head() … ──> receive_body() | read_body() … ──> finish()
//                 └──> what is large or comes from a source goes out beside it
//
// Each phase has a deadline of its own within that of the call; what strikes says which it was. A server may answer
// before it has read all of a request: the rest is sent nevertheless, unless the answer is that it is not wanted (3xx
// to 5xx), which costs the connection. What sending fails with ends receiving, unless it is that the server has gone,
// who may have answered before.
//
// Errors    those of the phases; what a body source returns; it throws what that throws.
// Lifetime  owned by its pool or by the lease of a call. Request and terms stand still between begin() and finish().
// Threads   the loop's.
#pragma once

#include <cstdint>
#include <exception>
#include <memory>

#include "pipette/async/event.h"
#include "pipette/async/loop.h"
#include "pipette/async/task.h"
#include "pipette/base/buffer.h"
#include "pipette/client/options.h"
#include "pipette/client/request.h"
#include "pipette/client/request_writer.h"
#include "pipette/client/response.h"
#include "pipette/client/response_reader.h"
#include "pipette/client/terms.h"
#include "pipette/http/framing.h"
#include "pipette/http/uri.h"
#include "pipette/net/connection.h"

namespace pipette::client {

class Connection {
 public:
  Connection(async::Loop& loop, const ClientOptions& options, std::unique_ptr<net::Connection> stream);

  // Requests are for a proxy, which forwards them. It outlives the connection.
  void set_proxy(const Proxy& proxy) { writer_.set_proxy(proxy); }

  // Whether the server has neither closed it nor said what nobody asked for.
  bool is_alive();

  // Writes the head, and a small body behind it, into the buffer. Nothing has been sent if that fails.
  Result<void> begin(const http::HttpUrl& url, const Request& request, const Terms& terms);
  // Sends what was begun, at once or beside receiving.
  Result<void> send();
  // would_block: the head of the response is not there; wait for more(), and call it again.
  Result<void> try_receive_head(Response& response);
  net::Readiness more() { return {*stream_, net::Direction::read}; }
  async::Soon<Result<void>> receive_body(Response& response);
  // 0 at the end of the body.
  Task<Result<std::size_t>> read_body(MutableBytes into, Response& response);
  // Of the body, what has been received already goes nowhere.
  void skip_what_is_there(Response& response);
  // Behind the response: whether there may be another call.
  bool finish();

  // Other terms from here on; they stand still as well.
  void set_terms(const Terms& terms) { terms_ = &terms; }
  // Whether the response has come to its end, and the request has gone.
  bool is_complete() const { return is_complete_ && !is_sending_; }
  // What comes behind the response: another protocol. There is no HTTP on it any more.
  std::unique_ptr<net::Connection> take_stream();
  // Ends what waits on it, with operation_canceled.
  void abort();

  // Of the call: whether any octet of the request went out, and any of a response came in.
  bool has_sent() const { return has_sent_; }
  bool has_received() const { return has_received_; }

  // Between calls: since when, and until when it may be used again.
  void begin_to_idle();
  TimePoint idle_since() const { return idle_since_; }
  TimePoint idle_until() const { return idle_until_; }
  bool is_reused() const { return is_reused_; }
  void set_reused() { is_reused_ = true; }

 private:
  Result<void> begin_to_send();
  Task<> send_beside(std::size_t written);
  Task<Result<void>> send_rest(std::size_t written);
  Task<Result<void>> send_source();
  Task<Result<void>> wait_to_continue();
  void give_up_sending(std::error_code error);
  Task<Result<void>> receive_body_slowly(Response& response);
  Task<Result<void>> wait_for_request();
  Result<bool> take_head(Response& response);
  void limit(net::Direction direction, Duration of_phase);
  std::error_code said_by(std::error_code error, Errc phase) const;
  std::error_code failed_to_read(std::error_code error, Errc phase) const;
  void tell(TraceKind kind, int status = 0) const {
    if (terms_->trace != nullptr) tell_trace(kind, status, {});
  }
  void tell_trace(TraceKind kind, int status, std::error_code error) const;

  async::Loop& loop_;
  const ClientOptions& options_;
  std::unique_ptr<net::Connection> stream_;
  Buffer in_;
  Buffer out_;
  RequestWriter writer_;
  ResponseReader reader_;
  TimePoint opened_at_;
  TimePoint idle_since_{};
  TimePoint idle_until_{};

  const Request* request_ = nullptr;
  const Terms* terms_ = nullptr;
  http::BodyLength sent_length_;
  std::error_code send_error_;
  std::exception_ptr thrown_;  // by a body source
  async::Event may_continue_;  // with a body that waits until the server wants it
  async::Event has_gone_;      // the request, as far as it goes
  TimePoint read_deadline_ = kNever;
  bool is_reused_ = false;
  bool keeps_alive_ = true;
  bool has_sent_ = false;
  bool has_received_ = false;
  bool is_sending_ = false;
  bool is_aborted_ = false;
  bool is_complete_ = false;
  Task<> sending_;  // beside receiving; ends first
};

}  // namespace pipette::client
