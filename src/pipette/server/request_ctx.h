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
// What has to be parsed first (uri, query_args, post_args, multipart_form) is parsed when it is first asked for, and
// kept until the handler returns; so is the error when it cannot be. Who does not ask does not pay.
//
// Errors    a field name or value that cannot be sent is refused with an error and changes nothing (CR, LF, NUL:
//           response splitting). Content-Length and Transfer-Encoding are the stack's own: Errc::managed_field.
// Lifetime  the context and every view it gives are good until the handler returns; views of the response, until that
//           part of it is changed.
// Threads   the loop's.
#pragma once

#include <any>
#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "pipette/async/call_options.h"
#include "pipette/async/sleep.h"
#include "pipette/async/stop.h"
#include "pipette/async/task.h"
#include "pipette/base/result.h"
#include "pipette/base/time.h"
#include "pipette/http/args.h"
#include "pipette/http/auth.h"
#include "pipette/http/conditional.h"
#include "pipette/http/cookie.h"
#include "pipette/http/fields.h"
#include "pipette/http/form.h"
#include "pipette/http/message_writer.h"
#include "pipette/http/method.h"
#include "pipette/http/set_cookie.h"
#include "pipette/http/uri.h"
#include "pipette/net/address.h"
#include "pipette/net/body_source.h"
#include "pipette/net/runtime.h"
#include "pipette/net/security.h"
#include "pipette/server/hijack.h"
#include "pipette/server/late_answer.h"
#include "pipette/server/user_values.h"

namespace pipette::server {

struct Exchange;

class RequestCtx {
 public:
  explicit RequestCtx(Exchange& exchange) : exchange_(exchange) {}
  RequestCtx(const RequestCtx&) = delete;
  RequestCtx& operator=(const RequestCtx&) = delete;

  // ---- the request: its first line -----------------------------------------------------------------------
  http::Method method() const;
  std::string_view method_text() const;
  bool is_get() const { return method() == http::Method::get; }
  bool is_head() const { return method() == http::Method::head; }
  bool is_post() const { return method() == http::Method::post; }
  bool is_put() const { return method() == http::Method::put; }
  bool is_delete() const { return method() == http::Method::delete_; }
  bool is_connect() const { return method() == http::Method::connect; }
  bool is_options() const { return method() == http::Method::options; }
  bool is_trace() const { return method() == http::Method::trace; }
  bool is_patch() const { return method() == http::Method::patch; }
  bool is_http_1_0() const;  // otherwise 1.1

  // As it was sent, and its parts: the path decoded and without dot segments (http::append_path: "%2F" is a "/" there;
  // empty when it has a %00, which no path may have), and as it was sent; the query as it was sent.
  std::string_view target() const;
  std::string_view path() const;
  std::string_view path_original() const;
  std::string_view query() const;
  // The whole URI that the request is for (RFC 9110 §7.1), never null: the target, where it is absolute; else https or
  // http as is_tls() says, host() and target(). Errc::bad_uri where there is none: CONNECT, and HTTP/1.0 without a
  // Host.
  Result<const http::Uri*> uri() const;

  // ---- the request: its fields ---------------------------------------------------------------------------
  const http::Fields& headers() const;
  std::optional<std::string_view> header(std::string_view name) const;
  std::optional<std::string_view> header(http::FieldName name) const;
  // Host and port as they were sent, an absolute target's before those of the Host field. Empty: HTTP/1.0 without one.
  std::string_view host() const;
  // Empty where there is none. The Referer is what the client says it is.
  std::string_view referer() const;
  std::string_view user_agent() const;
  std::string_view content_type() const;
  // The value of the first cookie of that name, in its case, with its quotes; all of them, one by one.
  std::optional<std::string_view> cookie(std::string_view name) const;
  http::CookieReader cookies() const;
  // What Authorization carries. Errc::bad_credentials: there is none, more than one, or another scheme.
  Result<http::BasicCredentials> basic_auth() const;
  Result<std::string_view> bearer_token() const;
  // What If-Match, If-None-Match and the like come to, against what there is now. (What to choose by Accept and its
  // siblings, http/negotiation.h says, of headers().)
  http::Verdict evaluate_conditions(const http::Representation& current) const;
  // Whether to send what was last modified then, to the second: true unless evaluate_conditions() says that the client
  // has it.
  bool if_modified_since(WallTime last_modified) const;

  // ---- the request: its body and its parameters ----------------------------------------------------------
  // As it came: a Content-Encoding is not undone, here and in what is parsed from it. Empty for one that is streamed,
  // unless it came whole with its head: read_whole_body() first.
  std::string_view body() const;
  // The decoded value of one query parameter; "" when it stands there without "=".
  std::optional<std::string> query(std::string_view name) const;
  // The pairs of the query, never null. Errc::too_many_args.
  Result<const http::Args*> query_args() const;
  // The pairs of a body that is application/x-www-form-urlencoded; none when it is of another type. Never null.
  // Errc::too_many_args.
  Result<const http::Args*> post_args() const;
  // A body that is multipart/form-data, with its files in memory; never null. Parsed within the limits of the first
  // call, which may be one of the next two.
  // Errc::bad_media_type: it is of another type; else what http::FormReader says.
  Result<const http::Form*> multipart_form(const http::MultipartLimits& limits = {}) const;
  // The first value of that name in the query, else in post_args(), else in multipart_form(). What cannot be parsed has
  // none.
  std::optional<std::string_view> form_value(std::string_view name) const;
  // The first file of that name in multipart_form(); null: none.
  const http::FormFile* form_file(std::string_view name) const;

  // ---- the request: where it comes from ------------------------------------------------------------------
  const net::Address& remote_address() const;
  const net::Address& local_address() const;
  // For this request: what a proxy that is trusted says of its client. The limits of the server count the connection's.
  void set_remote_address(net::Address address);
  // Without port and brackets; empty for what has none, such as a Unix socket.
  std::string remote_ip() const;
  std::string local_ip() const;
  bool is_tls() const { return tls() != nullptr; }
  // What the handshake has established; null: the connection is not secured.
  const net::SecurityFacts* tls() const;
  // Of the connection among those of its server; of the request on its connection, from 1; of both together: unlike any
  // other while each is below 2^32.
  std::uint64_t connection_id() const;
  std::uint64_t request_number() const;
  std::uint64_t id() const { return connection_id() << 32 | request_number(); }
  // When the connection was accepted, and when the request was there to be handled.
  TimePoint connected_at() const;
  TimePoint started_at() const;
  // One line for a log: "#0000000100000002 - 10.0.1.1:80<->10.0.0.1:49152 - GET http://app/path".
  std::string to_string() const;

  // ---- values of the application -------------------------------------------------------------------------
  // See user_values.h. Nothing is allocated for a request that has none.
  void set_user_value(std::string_view key, std::any value) { user_values().set(key, std::move(value)); }
  // Null: no such key, or a value of another type.
  template <class T>
  T* user_value(std::string_view key) const {
    return std::any_cast<T>(find_user_value(key));
  }
  bool remove_user_value(std::string_view key);
  UserValues& user_values();

  // ---- the response: status and fields -------------------------------------------------------------------
  int status() const;
  // 200-599; anything else is a bug of the handler's, and answered with 500.
  void set_status(int status);
  // In place of the phrase registered for the status, whatever that becomes; "" for the registered one.
  // Errc::bad_reason.
  Result<void> set_reason(std::string_view reason);
  Result<void> set_header(std::string_view name, std::string_view value);
  Result<void> add_header(std::string_view name, std::string_view value);
  void remove_header(std::string_view name);
  // What was set; the first of that name. The defaults come later, and so does what the stack says of framing.
  std::optional<std::string_view> response_header(std::string_view name) const;
  // The same of all of them, but for Content-Type and Connection, which have places of their own.
  const http::Fields& response_headers() const;
  // Adds a name to Vary, unless it is there (http/vary.h).
  Result<void> add_vary(std::string_view name);
  // "text/plain; charset=utf-8" when there is a body and nothing was set.
  Result<void> set_content_type(std::string_view type);
  // In place of one that was set for the same name, domain and path. Errc::bad_cookie, unsafe_cookie (set_cookie.h).
  Result<void> set_cookie(const http::SetCookie& cookie);
  // Takes away what was set with that name, and with neither Domain nor Path; or with those of `cookie`, whose prefix
  // may ask for more (__Host-).
  Result<void> delete_client_cookie(std::string_view name) { return delete_client_cookie(http::SetCookie(name, "")); }
  Result<void> delete_client_cookie(const http::SetCookie& cookie);
  // Leaves out what this response would have by default. Nothing brings it back, error() neither.
  void suppress_server();
  void suppress_date();
  void suppress_content_type();
  // Closes the connection after this response.
  void set_connection_close();

  // ---- the response: its body ----------------------------------------------------------------------------
  std::string_view response_body() const;
  void set_body(std::string_view body);
  template <std::same_as<std::string> Text>
  void set_body(Text&& body) {  // a temporary is moved
    take_body(body);
  }
  // Without a copy: `body` stays as it is until the response has been sent, as a literal does.
  void set_body_view(std::string_view body);
  void append_body(std::string_view more);
  void reset_body();

  // ---- the response: all at once -------------------------------------------------------------------------
  // 200 and a body of that type. What is no field value is refused, and changes nothing.
  Result<void> success(std::string_view content_type, std::string_view body);
  // Starts the response over: this status, this text.
  void error(int status, std::string_view message);
  void not_found() { error(404, "404 page not found"); }
  // 304, without body and Content-Type; the other fields stay, since caches want ETag, Vary and their like
  // (RFC 9110 §15.4.5).
  void not_modified();
  // Status (302 unless a redirect's was given) and Location; body and Content-Type are dropped. A relative reference is
  // resolved against uri(), and stays as it is where there is none. Errc::bad_field_value, or bad_uri for what is no
  // URI reference: spaces and other octets outside its grammar are the caller's to encode.
  Result<void> redirect(std::string_view location, int status = 302);
  // As if nothing had been set but set_connection_close() and what is suppressed.
  void reset_response();

  // ---- bodies that are streamed. For coroutines ---------------------------------------------------------
  // The next of the request's body; nothing at its end. Good until the next call. One that is there already comes at
  // once, in one piece. request_timeout when it does not come in time, body_too_large, incomplete_message.
  Task<Result<std::string_view>> read_body();
  // All of it that is still to come, in one piece, which body() has from then on, and what is parsed from it for the
  // first time; read_body() begins with it again. The same errors. Where nothing is streamed it is body().
  Task<Result<std::string_view>> read_whole_body();
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
  // The file's octets, its length and Last-Modified; application/octet-stream unless a type is set. What open() says.
  Result<void> send_file(const std::string& path);
  // Whether the response has been begun by write(), or its body is a source's: not what set_body() was given.
  bool is_response_streamed() const;
  // 103 with the Link fields that are set by now (RFC 8297), in order with the responses before. bad_status: the
  // response has begun.
  Result<void> send_early_hints();

  // ---- time ---------------------------------------------------------------------------------------------
  // Stops when the handler should: its time is over, its client has finished sending or is gone, the server stops.
  async::StopToken stop_token() const;
  TimePoint deadline() const;
  // Both, for what is done for this request's sake.
  async::CallOptions call_options() const { return {stop_token(), deadline()}; }
  // Sleeps, or until it is to stop, and says why.
  async::SleepUntil sleep(Duration time);
  // Gives the handler less time than it has, and says what answers when it is over.
  void limit_time(Duration time, LateAnswer answer = {});
  // Answers the client now; the handler goes on, and what it does to the response is for nobody.
  void timeout_error(LateAnswer answer);
  void timeout_error(std::string message = {}, int status = 503) {
    timeout_error(LateAnswer{.status = status, .message = std::move(message)});
  }
  // A line for the server's log, behind who asks for what.
  void log(std::string_view line) const;
  // Of reading the body, and of writing, in place of the server's, for this exchange.
  void set_read_deadline(TimePoint deadline);
  void set_write_deadline(TimePoint deadline);

  // ---- another protocol (server/hijack.h) ---------------------------------------------------------------
  // The connection is the function's once this response is out.
  void hijack(HijackHandler handler);
  // The same, with nothing written before.
  void hijack_silently(HijackHandler handler);
  // 101 with this protocol (RFC 9110 §7.8). bad_status: HTTP/1.0 does not know it; bad_field_value.
  Result<void> upgrade(std::string_view protocol, HijackHandler handler);
  // Whether one of these was called.
  bool is_hijacked() const;

  // ---- around it -----------------------------------------------------------------------------------------
  Runtime& runtime() const;
  TimePoint now() const;

 private:
  std::any* find_user_value(std::string_view key) const;
  void take_body(std::string& body);

  Exchange& exchange_;
};

}  // namespace pipette::server

namespace pipette {
using server::RequestCtx;
}  // namespace pipette
