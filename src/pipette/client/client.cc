#include "pipette/client/client.h"

#include <algorithm>
#include <array>
#include <utility>

#include "pipette/async/until_stopped.h"
#include "pipette/base/ascii.h"
#include "pipette/base/buffer.h"
#include "pipette/http/body_reader.h"
#include "pipette/http/message_writer.h"
#include "pipette/http/status.h"
#include "pipette/net/security.h"

namespace pipette::client {
namespace {

using net::Direction;

constexpr std::size_t kReadBytes = 4096;
constexpr std::size_t kLargeBodyBytes = 16 * 1024;
constexpr int kMaxInterimResponses = 100;

bool is_would_block(std::error_code error) { return error == make_error_code(Errc::would_block); }

// Whether it is worth a connection; the rest is seen when it is written.
Result<void> check(const Request& request) {
  if (request.method == http::Method::connect || request.method == http::Method::other) return fail(Errc::bad_method);
  const http::Fields& fields = request.fields.view();
  if (fields.contains(http::FieldName::content_length) || fields.contains(http::FieldName::transfer_encoding)) {
    return fail(Errc::managed_field);
  }
  return {};
}

}  // namespace

// A connection and the state of HTTP on it.
struct KeptConnection {
  explicit KeptConnection(const http::HeadLimits& limits) : parser(limits) {}

  std::unique_ptr<net::Connection> connection;
  Buffer in;
  Buffer out;
  http::ResponseParser parser;
  http::ResponseHead head;
  TimePoint idle_since{};
  bool is_reused = false;
  bool keeps_alive = true;
  bool saw_response = false;  // any octet of one, in this call
};

// The connections to one authority.
struct Client::Host {
  std::string authority;
  bool is_https = false;
  std::vector<std::unique_ptr<KeptConnection>> idle;  // the one used last is used first
};

Client::Client(Runtime& runtime, ClientOptions options) : runtime_(runtime), options_(std::move(options)) {
  constexpr std::size_t kMaxAgentBytes = 256;
  if (!ascii::is_value(options_.user_agent) || options_.user_agent.size() > kMaxAgentBytes) options_.user_agent.clear();
}
Client::~Client() = default;

Task<Result<Response>> Client::get(std::string url) {
  Request request;
  request.url = std::move(url);
  Response response;
  const Result<void> done = co_await call(request, response);
  if (!done) co_return fail(done.error());
  co_return response;
}

Task<Result<Response>> Client::post(std::string url, std::string content_type, std::string body) {
  Request request;
  request.method = http::Method::post;
  request.url = std::move(url);
  request.body = std::move(body);
  const Result<void> set = request.fields.set("Content-Type", content_type);
  if (!set) co_return fail(set.error());
  Response response;
  const Result<void> done = co_await call(request, response);
  if (!done) co_return fail(done.error());
  co_return response;
}

Task<Result<Response>> Client::get(std::string url, CallOptions options) {
  Request request;
  request.url = std::move(url);
  Response response;
  const Result<void> done = co_await call(request, response, options);
  if (!done) co_return fail(done.error());
  co_return response;
}

Task<Result<void>> Client::call(const Request& request, Response& response, CallOptions options) {
  Task<Result<void>> task = call_until(request, response, options.deadline);
  const auto done = co_await async::until_stopped(runtime_.loop(), std::move(task), options.stop);
  if (!done) co_return fail(Errc::operation_canceled);
  co_return *done;
}

Task<Result<void>> Client::call_until(const Request& request, Response& response, TimePoint latest) {
  const Result<http::HttpUrl> url = parse(request.url);
  if (!url) co_return fail(url.error());
  if (const Result<void> sendable = check(request); !sendable) co_return sendable;
  Host& host = host_of(*url);
  const TimePoint deadline = std::min(latest, after(runtime_.loop().now(), options_.timeout));
  for (int attempt = 1;; ++attempt) {
    std::unique_ptr<KeptConnection> connection;
    if (attempt == 1) connection = take_idle(host, deadline);
    if (!connection) {
      Result<std::unique_ptr<KeptConnection>> fresh = co_await connect(*url, deadline);
      if (!fresh) co_return fail(fresh.error());
      connection = std::move(*fresh);
      connection->connection->set_deadline(Direction::read, deadline);
    }
    connection->connection->set_deadline(Direction::write, deadline);
    connection->saw_response = false;
    if (const Result<void> written = write_request(*url, request, *connection); !written) {
      give_back(host, std::move(connection));
      co_return written;
    }
    Result<void> done = co_await send(*connection, request);
    if (!done) connection->keeps_alive = false;
    // A server may answer, and then close, before it has read all of the body (RFC 9112 §9.5).
    if (done || done.error() == std::errc::connection_reset) {
      done = co_await receive(*connection, request.method, response);
    }
    if (done) {
      if (connection->keeps_alive) give_back(host, std::move(connection));
      co_return done;
    }
    // The server closed a kept connection as we began to use it: nothing of a response came, so ask once more.
    const bool may_repeat = connection->is_reused && !connection->saw_response && attempt == 1 &&
                            http::is_idempotent(request.method) && done.error() != std::errc::timed_out;
    if (!may_repeat) co_return done;
  }
}

// The last URL is often the next one too.
Result<http::HttpUrl> Client::parse(std::string_view text) {
  if (text == last_url_text_ && !text.empty()) return http::moved(last_url_, last_url_text_.data(), text.data());
  const Result<http::HttpUrl> url = http::parse_http_url(text);
  if (url) {
    last_url_text_ = text;
    last_url_ = http::moved(*url, text.data(), last_url_text_.data());
  }
  return url;
}

// ---- connections -----------------------------------------------------------------------------------------

Client::Host& Client::host_of(const http::HttpUrl& url) {
  for (const std::unique_ptr<Host>& host : hosts_) {
    if (host->authority == url.authority && host->is_https == url.is_https) return *host;
  }
  hosts_.push_back(std::make_unique<Host>());
  hosts_.back()->authority = url.authority;
  hosts_.back()->is_https = url.is_https;
  return *hosts_.back();
}

// The connection given back last that is young enough and still open, with its read deadline set; the others are
// dropped on the way.
std::unique_ptr<KeptConnection> Client::take_idle(Host& host, TimePoint deadline) {
  while (!host.idle.empty()) {
    std::unique_ptr<KeptConnection> kept = std::move(host.idle.back());
    host.idle.pop_back();
    if (after(kept->idle_since, options_.idle_timeout) <= runtime_.loop().now()) continue;
    kept->connection->set_deadline(Direction::read, deadline);
    std::array<char, 1> octet;
    const Result<std::size_t> probe = kept->connection->try_read(octet);
    if (probe || !is_would_block(probe.error())) continue;  // closed, or it says something nobody asked for
    kept->is_reused = true;
    return kept;
  }
  return nullptr;
}

void Client::give_back(Host& host, std::unique_ptr<KeptConnection> connection) {
  if (host.idle.size() >= options_.max_idle_per_host) return;
  connection->idle_since = runtime_.loop().now();
  host.idle.push_back(std::move(connection));
}

Task<Result<std::unique_ptr<KeptConnection>>> Client::connect(http::HttpUrl url, TimePoint deadline) {
  const Result<net::Address> address = net::Address::parse(url.host, url.port);
  if (!address) co_return fail(Errc::bad_uri);
  if (url.is_https && options_.security == nullptr) co_return fail(Errc::unsupported_scheme);
  const TimePoint dial_deadline = std::min(deadline, after(runtime_.loop().now(), options_.dial_timeout));
  Result<net::Connected> dialed = co_await runtime_.network().dial(*address, dial_deadline);
  if (!dialed) co_return fail(dialed.error());
  auto kept = std::make_unique<KeptConnection>(options_.head);
  kept->connection = std::move(dialed->connection);
  if (url.is_https) {
    net::ServerName name{std::string(url.host)};
    net::Alpn alpn{std::vector<std::string>(1, "http/1.1")};
    Task<Result<net::Secured>> handshake =
        options_.security->client(std::move(kept->connection), std::move(name), std::move(alpn), dial_deadline);
    Result<net::Secured> secured = co_await handshake;
    if (!secured) co_return fail(secured.error());
    kept->connection = std::move(secured->connection);
  }
  co_return kept;
}

std::size_t Client::idle_connections() const {
  std::size_t count = 0;
  for (const std::unique_ptr<Host>& host : hosts_) count += host->idle.size();
  return count;
}

void Client::close_idle() {
  for (const std::unique_ptr<Host>& host : hosts_) host->idle.clear();
}

// ---- sending ---------------------------------------------------------------------------------------------

// Writes the head, and a small body behind it, into the connection's buffer.
Result<void> Client::write_request(const http::HttpUrl& url, const Request& request, KeptConnection& connection) const {
  http::RequestHeadParts parts;
  parts.method = request.method;
  parts.target = http::RequestTarget::of_parsed(url.authority, url.target);
  parts.fields = request.fields;
  parts.user_agent = http::FieldValue::checked(options_.user_agent);
  parts.length = request.body.size();
  connection.keeps_alive = http::persists(false, request.fields.view());
  connection.out.clear();
  const bool body_fits = request.body.size() < kLargeBodyBytes;
  const Result<http::BodyLength> written =
      http::write_request_head(connection.out, parts, body_fits ? Bytes(request.body) : Bytes());
  return written ? Result<void>() : fail(written.error());
}

async::Soon<Result<void>> Client::send(KeptConnection& connection, const Request& request) {
  const Bytes head = connection.out.readable();
  const Result<std::size_t> written = connection.connection->try_write({&head, 1});
  if (!written && !is_would_block(written.error())) return Result<void>(fail(written.error()));
  if (written && *written == head.size() && request.body.size() < kLargeBodyBytes) return Result<void>();
  return send_slowly(connection, request, written.value_or(0));
}

Task<Result<void>> Client::send_slowly(KeptConnection& connection, const Request& request, std::size_t written) {
  const Bytes large_body = request.body.size() < kLargeBodyBytes ? Bytes() : Bytes(request.body);
  const std::array<Bytes, 2> pieces = {connection.out.readable().substr(written), large_body};
  co_return co_await connection.connection->write(pieces);
}

// ---- receiving -------------------------------------------------------------------------------------------

Task<Result<void>> Client::receive(KeptConnection& connection, http::Method method, Response& response) {
  Buffer& in = connection.in;
  for (int interim = 0; interim <= kMaxInterimResponses; ++interim) {
    connection.parser.reset();
    std::size_t head_bytes = 0;
    for (;;) {
      if (!in.empty()) {
        const Result<std::size_t> size = connection.parser.parse(in.contents(), connection.head);
        if (!size) co_return fail(size.error());
        if (*size > 0) {
          head_bytes = *size;
          break;
        }
      }
      const Result<std::size_t> count = co_await connection.connection->read_some(in.writable(kReadBytes));
      if (!count) co_return fail(count.error());
      if (*count == 0) co_return fail(Errc::end_of_stream);
      in.commit(*count);
      connection.saw_response = true;
    }
    const http::ResponseHead& head = connection.head;
    if (http::is_interim(head.status)) {
      if (head.status == 101) co_return fail(Errc::unexpected_response);  // nobody asked for another protocol
      in.consume(head_bytes);
      continue;
    }
    const Result<http::BodyLength> length = http::body_length(head, method);
    if (!length) co_return fail(length.error());
    if (!http::persists(head.is_http_1_0, head.fields)) connection.keeps_alive = false;
    response.assign(head, in.readable().substr(0, head_bytes));
    in.consume(head_bytes);

    Result<void> done;
    const Bytes behind_head = in.readable();
    if (length->kind == http::BodyLength::Kind::exact && length->size <= behind_head.size() &&
        length->size <= options_.max_response_body_bytes) {
      response.body = behind_head.substr(0, length->size);
      in.consume(length->size);
    } else if (length->kind != http::BodyLength::Kind::none) {
      done = co_await receive_body(connection, *length, response);
    }
    if (!in.empty()) connection.keeps_alive = false;  // octets that belong to no response (RFC 9112 §6.3)
    co_return done;
  }
  co_return fail(Errc::too_many_interim_responses);
}

Task<Result<void>> Client::receive_body(KeptConnection& connection, http::BodyLength length, Response& response) {
  http::BodyLimits limits;
  limits.max_body_bytes = options_.max_response_body_bytes;
  limits.trailer = options_.head;
  http::BodyReader reader(length, limits);
  if (const Result<void> fits = reader.check_declared_length(); !fits) co_return fits;
  if (length.kind == http::BodyLength::Kind::until_close) connection.keeps_alive = false;
  for (;;) {
    const Result<http::BodyReader::Step> step = reader.next(connection.in.readable());
    if (!step) co_return fail(step.error());
    response.body.append(step->data);
    connection.in.consume(step->consumed);
    if (step->is_complete) co_return Result<void>();
    if (step->consumed > 0) continue;

    const Result<std::size_t> count = co_await connection.connection->read_some(connection.in.writable(kReadBytes));
    if (!count) co_return fail(count.error());
    if (*count == 0) co_return reader.finish();
    connection.in.commit(*count);
  }
}

}  // namespace pipette::client
