// RequestCtx: a request, and the response that is being made for it. What a handler is given.
//
//   void handler(RequestCtx& ctx) {
//     if (ctx.path() == "/hello") ctx.set_body("Hello, " + ctx.query("name").value_or("world"));
//     else ctx.error(404, "no such page");
//   }
//
// Status, fields and body may be set in any order, and again, until the handler returns; then the response goes out
// with Server, Date, Content-Type and Content-Length as its parts ask for.
//
// Errors    a field name or value that cannot be sent is refused with an error and changes nothing (CR, LF, NUL:
//           response splitting). Content-Length and Transfer-Encoding are the stack's own: Errc::managed_field.
// Lifetime  the context and every view it gives are good until the handler returns.   Threads  the loop's.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "pipette/async/sleep.h"
#include "pipette/async/stop.h"
#include "pipette/async/task.h"
#include "pipette/base/result.h"
#include "pipette/http/fields.h"
#include "pipette/http/message_writer.h"
#include "pipette/http/method.h"
#include "pipette/net/address.h"
#include "pipette/net/runtime.h"
#include "pipette/server/body_source.h"
#include "pipette/server/hijack.h"

namespace pipette::server {

struct Exchange;

class RequestCtx {
 public:
  explicit RequestCtx(Exchange& exchange) : exchange_(exchange) {}
  RequestCtx(const RequestCtx&) = delete;
  RequestCtx& operator=(const RequestCtx&) = delete;

  // ---- the request
  http::Method method() const;
  std::string_view method_text() const;
  bool is_get() const { return method() == http::Method::get; }
  bool is_head() const { return method() == http::Method::head; }
  bool is_post() const { return method() == http::Method::post; }
  // As it was sent, and its parts: the path decoded and without dot segments (http::append_path: "%2F" is a "/" there;
  // empty when it has a %00, which no path may have), and as it was sent; the query as it was sent.
  std::string_view target() const;
  std::string_view path() const;
  std::string_view path_original() const;
  std::string_view query() const;
  // The decoded value of one query parameter; "" when it stands there without "=".
  std::optional<std::string> query(std::string_view name) const;
  std::string_view host() const;
  std::optional<std::string_view> header(std::string_view name) const;
  std::optional<std::string_view> header(http::FieldName name) const;
  const http::Fields& headers() const;
  std::string_view body() const;

  // ---- the response
  int status() const;
  // 200-599; anything else is a bug of the handler's, and answered with 500.
  void set_status(int status);
  Result<void> set_header(std::string_view name, std::string_view value);
  Result<void> add_header(std::string_view name, std::string_view value);
  void remove_header(std::string_view name);
  // "text/plain; charset=utf-8" when there is a body and nothing was set.
  Result<void> set_content_type(std::string_view type);
  void set_body(std::string_view body);
  void append_body(std::string_view more);
  // Status (302 unless a redirect's was given) and Location; the body is dropped.
  Result<void> redirect(std::string_view location, int status = 302);
  // Starts the response over: this status, this text.
  void error(int status, std::string_view message);
  // Closes the connection after this response.
  void set_connection_close();

  // ---- bodies that are streamed. For coroutines
  // The next of the request's body; nothing at its end. Good until the next call. One that is there already comes at
  // once, in one piece. request_timeout when it does not come in time, body_too_large, incomplete_message.
  Task<Result<std::string_view>> read_body();
  // Those that came behind a chunked body, once it has been read to its end.
  const http::Fields& trailers() const;
  // Begins the response with what is set by now, and writes more of its body; waits while the client does not take it.
  // From then on status and fields are settled, and no handler timeout holds. Errors: connection_reset, timed_out
  // (write), operation_canceled (this handler was late).
  async::Soon<Result<void>> write(std::string_view data);
  // Has all that was written reach the network.
  Task<Result<void>> flush();
  // Of the body that is going to be written; without it, it is chunked.
  void set_stream_length(std::uint64_t size);
  // Goes behind the last chunk; dropped where the body is not chunked. bad_trailer.
  Result<void> add_trailer(std::string_view name, std::string_view value);
  // The body, in place of what is set otherwise.
  void set_body_source(std::unique_ptr<BodySource> source, http::KnownLength length = {});
  // 103 with the Link fields that are set by now (RFC 8297), in order with the responses before.
  Result<void> send_early_hints();

  // ---- time
  // Stops when the handler should: its time is over, its client has finished sending or is gone, the server stops.
  async::StopToken stop_token() const;
  TimePoint deadline() const;
  // Sleeps, or until it is to stop, and says why.
  async::SleepUntil sleep(Duration time);
  // Gives the handler less time than it has, and says what answers when it is over; "": the status alone.
  void limit_time(Duration time, int status = 503, std::string message = {});
  // Answers the client now; the handler goes on, and what it does to the response is for nobody.
  void timeout_error(std::string message = {}, int status = 503);
  // Of reading the body, and of writing, in place of the server's, for this exchange.
  void set_read_deadline(TimePoint deadline);
  void set_write_deadline(TimePoint deadline);

  // ---- another protocol (server/hijack.h)
  // The connection is the function's once this response is out.
  void hijack(HijackHandler handler);
  // The same, with nothing written before.
  void hijack_silently(HijackHandler handler);
  // 101 with this protocol (RFC 9110 §7.8).
  Result<void> upgrade(std::string_view protocol, HijackHandler handler);

  // ---- around it
  const net::Address& remote_address() const;
  const net::Address& local_address() const;
  Runtime& runtime() const;
  TimePoint now() const;

 private:
  Exchange& exchange_;
};

}  // namespace pipette::server

namespace pipette {
using server::RequestCtx;
}  // namespace pipette
