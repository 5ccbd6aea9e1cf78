#include "pipette/client/tunnel.h"

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <utility>

#include "pipette/base/buffer.h"
#include "pipette/http/message_writer.h"
#include "pipette/http/status.h"
#include "pipette/net/leftover.h"

namespace pipette::client {
namespace {

using net::Address;
using net::Connection;
using net::Direction;

constexpr std::size_t kReadBytes = 4096;
constexpr int kMaxInterimResponses = 100;

void tell(const TunnelOptions& options, int status) {
  if (options.answer != nullptr) options.answer->status = status;
}

constexpr std::size_t kMaxName = 255;  // RFC 1928 §5, and longer than any (RFC 1035 §2.3.4)

// Whether a proxy can be asked for it: nothing but a host and a port goes out (RFC 9110 §9.3.6).
Result<void> check(const Address& target) {
  const bool has_host = target.kind() != Address::Kind::none && target.kind() != Address::Kind::unix_path;
  if (!has_host || target.text().size() > kMaxName) return fail(Errc::bad_target);
  const Result<http::RequestTarget> authority = http::RequestTarget::authority(target.to_string());
  return authority ? Result<void>() : fail(authority.error());
}

Task<Result<void>> send(Connection& connection, Bytes octets) {
  const std::array<Bytes, 1> pieces = {octets};
  co_return co_await connection.write(pieces);
}

// ---- CONNECT ---------------------------------------------------------------------------------------------

Result<void> write_connect(const Proxy& proxy, std::string_view authority, const TunnelOptions& options, Buffer& out) {
  const Result<http::RequestTarget> target = http::RequestTarget::authority(authority);
  if (!target) return fail(target.error());
  http::OwnedFields fields;
  if (options.fields != nullptr) fields = *options.fields;
  if (!proxy.authorization().empty()) {
    if (const auto set = fields.set("Proxy-Authorization", proxy.authorization()); !set) return fail(set.error());
  }
  http::RequestHeadParts parts;
  parts.method = http::Method::connect;
  parts.target = *target;
  parts.fields = fields;
  const Result<http::BodyLength> written = http::write_request_head(out, parts);
  return written ? Result<void>() : fail(written.error());
}

Errc error_of_status(int status) {
  if (status / 100 == 2) return Errc{};
  return status == 407 ? Errc::proxy_unauthorized : Errc::proxy_refused;
}

// Reads a head into `in` and takes it out again; its status.
Task<Result<int>> read_status(Connection& connection, Buffer& in, const http::HeadLimits& limits) {
  http::ResponseParser parser(limits);
  http::ResponseHead head;
  for (;;) {
    const Result<std::size_t> size = in.empty() ? Result<std::size_t>(0) : parser.parse(in.contents(), head);
    if (!size) co_return fail(size.error());
    if (*size > 0) {
      in.consume(*size);
      co_return head.status;
    }
    const Result<std::size_t> count = co_await connection.read_some(in.writable(kReadBytes));
    if (!count) co_return fail(count.error());
    if (*count == 0) co_return fail(Errc::end_of_stream);
    in.commit(*count);
  }
}

// What stands in `in` then is the tunnel's. A 2xx has no body, whatever its fields say.
Task<Result<void>> connect(Connection& connection, const Proxy& proxy, const Address& target,
                           const TunnelOptions& options, Buffer& in) {
  Buffer out;
  const std::string authority = target.to_string();
  if (const Result<void> written = write_connect(proxy, authority, options, out); !written) co_return written;
  const Result<void> sent = co_await send(connection, out.readable());
  if (!sent) co_return sent;
  for (int interim = 0; interim <= kMaxInterimResponses; ++interim) {
    const Result<int> status = co_await read_status(connection, in, options.head);
    if (!status) co_return fail(status.error());
    if (*status == 101) co_return fail(Errc::unexpected_response);  // nobody asked for another protocol
    if (http::is_interim(*status)) continue;
    tell(options, *status);
    const Errc error = error_of_status(*status);
    co_return error == Errc{} ? Result<void>() : fail(error);
  }
  co_return fail(Errc::too_many_interim_responses);
}

// ---- SOCKS5 ----------------------------------------------------------------------------------------------

namespace socks {

constexpr char kVersion = 5;
constexpr char kAuthVersion = 1;  // RFC 1929 §2
constexpr char kConnect = 1;
constexpr char kNoAuth = 0;
constexpr char kPassword = 2;
constexpr char kNoneAcceptable = '\xff';
enum AddressType : char { kIpv4 = 1, kName = 3, kIpv6 = 4 };

void append_sized(std::string_view text, std::string& out) {
  out += static_cast<char>(text.size());
  out += text;
}

std::string greeting(const Proxy& proxy) {
  if (proxy.has_credentials()) return {kVersion, 2, kNoAuth, kPassword};
  return {kVersion, 1, kNoAuth};
}

std::string credentials(const Proxy& proxy) {
  std::string out(1, kAuthVersion);
  append_sized(proxy.user(), out);
  append_sized(proxy.password(), out);
  return out;
}

std::string request(const Address& target) {
  std::string out = {kVersion, kConnect, 0};
  if (target.kind() == Address::Kind::name) {
    out += kName;
    append_sized(target.text(), out);
  } else {
    const bool is_ipv4 = target.kind() == Address::Kind::ipv4;
    out += is_ipv4 ? kIpv4 : kIpv6;
    for (const std::uint8_t octet : std::span(target.ip()).first(is_ipv4 ? 4 : 16)) out += static_cast<char>(octet);
  }
  out += static_cast<char>(target.port() >> 8);
  out += static_cast<char>(target.port() & 0xff);
  return out;
}

// RFC 1928 §6.
Errc error_of_reply(unsigned reply) {
  switch (reply) {
    case 0:
      return Errc{};
    case 3:
      return Errc::network_unreachable;
    case 4:  // no way to the host
    case 6:  // the way was too long
      return Errc::host_unreachable;
    case 5:
      return Errc::connection_refused;
    case 7:  // this command
    case 8:  // this kind of address
      return Errc::not_supported;
    default:  // 1: it has failed, 2: its rules forbid it, others: not assigned
      return Errc::proxy_refused;
  }
}

// As many octets as there is room for, and none of what comes behind them.
Task<Result<void>> read_all(Connection& connection, MutableBytes into) {
  while (!into.empty()) {
    const Result<std::size_t> count = co_await connection.read_some(into);
    if (!count) co_return fail(count.error());
    if (*count == 0) co_return fail(Errc::end_of_stream);
    into = into.subspan(*count);
  }
  co_return Result<void>();
}

Task<Result<void>> authenticate(Connection& connection, const Proxy& proxy) {
  const std::string hello = greeting(proxy);
  Result<void> done = co_await send(connection, hello);
  std::array<char, 2> answer{};
  if (done) done = co_await read_all(connection, answer);
  if (!done) co_return done;
  if (answer[0] != kVersion) co_return fail(Errc::bad_proxy_answer);
  if (answer[1] == kNoAuth) co_return Result<void>();
  if (answer[1] == kNoneAcceptable) co_return fail(Errc::proxy_unauthorized);
  if (answer[1] != kPassword || !proxy.has_credentials()) co_return fail(Errc::bad_proxy_answer);

  const std::string secret = credentials(proxy);
  done = co_await send(connection, secret);
  if (done) done = co_await read_all(connection, answer);
  if (!done) co_return done;
  if (answer[0] != kAuthVersion) co_return fail(Errc::bad_proxy_answer);
  co_return answer[1] == 0 ? Result<void>() : fail(Errc::proxy_unauthorized);
}

// The address that the proxy connects from, which tells us nothing.
Task<Result<void>> skip_bound_address(Connection& connection, char type) {
  std::array<char, kMaxName + 2> room{};
  std::size_t size = 0;
  if (type == kName) {
    const Result<void> read = co_await read_all(connection, std::span(room).first(1));
    if (!read) co_return read;
    size = static_cast<std::uint8_t>(room[0]);
  } else if (type == kIpv4 || type == kIpv6) {
    size = type == kIpv4 ? 4 : 16;
  } else {
    co_return fail(Errc::bad_proxy_answer);
  }
  co_return co_await read_all(connection, std::span(room).first(size + 2));
}

Task<Result<void>> connect(Connection& connection, const Proxy& proxy, const Address& target,
                           const TunnelOptions& options) {
  Result<void> done = co_await authenticate(connection, proxy);
  const std::string wanted = request(target);
  if (done) done = co_await send(connection, wanted);
  std::array<char, 4> answer{};
  if (done) done = co_await read_all(connection, std::span(answer).first(3));
  if (!done) co_return done;
  if (answer[0] != kVersion || answer[2] != 0) co_return fail(Errc::bad_proxy_answer);
  const unsigned reply = static_cast<std::uint8_t>(answer[1]);
  tell(options, static_cast<int>(reply));
  if (const Errc error = error_of_reply(reply); error != Errc{}) co_return fail(error);
  done = co_await read_all(connection, std::span(answer).last(1));
  if (!done) co_return done;
  co_return co_await skip_bound_address(connection, answer[3]);
}

}  // namespace socks

// ---- both ------------------------------------------------------------------------------------------------

// Until when the proxy has time, and what it is when it takes longer.
struct Limit {
  Limit(async::Loop& loop, Duration timeout, TimePoint deadline)
      : at(std::min(deadline, after(loop.now(), timeout))), is_own(at == after(loop.now(), timeout)) {}

  std::error_code name(std::error_code error, TimePoint now) const {
    const bool is_over = error == make_error_code(Errc::timed_out) && now >= at;
    return is_over && is_own ? make_error_code(Errc::proxy_timeout) : error;
  }

  TimePoint at;
  bool is_own;
};

Task<Result<net::Connected>> talk(Runtime& runtime, net::Connected connected, const Proxy& proxy, const Address& target,
                                  const TunnelOptions& options, const Limit& limit) {
  Connection& connection = *connected.connection;
  connection.set_deadline(Direction::read, limit.at);
  connection.set_deadline(Direction::write, limit.at);
  Buffer in;
  Task<Result<void>> opening = proxy.is_socks() ? socks::connect(connection, proxy, target, options)
                                                : connect(connection, proxy, target, options, in);
  const Result<void> opened = co_await opening;
  if (!opened) co_return fail(limit.name(opened.error(), runtime.loop().now()));
  connection.set_deadline(Direction::read, kNever);
  connection.set_deadline(Direction::write, kNever);
  connected.connection = net::with_leftover(runtime.loop(), std::move(connected.connection), in.readable());
  co_return connected;
}

// Of one address, or of a name that the proxy resolves.
Task<Result<net::Connected>> dial_one(Runtime& runtime, Dialer& dialer, const Proxy& proxy, const Address& target,
                                      TimePoint deadline, const TunnelOptions& options) {
  Result<net::Connected> connected = co_await dialer.dial(proxy.address(), deadline, options.hooks);
  if (!connected) co_return connected;
  const Limit limit(runtime.loop(), options.timeout, deadline);
  if (proxy.kind() == Proxy::Kind::https) {
    net::ServerName name;
    name.host = proxy.host();
    net::Alpn alpn;
    alpn.protocols.emplace_back("http/1.1");
    Task<Result<net::Secured>> handshake =
        options.security->client(runtime, std::move(connected->connection), std::move(name), std::move(alpn), limit.at);
    Result<net::Secured> secured = co_await handshake;
    if (!secured) co_return fail(limit.name(secured.error(), runtime.loop().now()));
    connected->connection = std::move(secured->connection);
  }
  co_return co_await talk(runtime, std::move(*connected), proxy, target, options, limit);
}

// Whether another address of the same name may do better.
bool is_of_this_address(std::error_code error) {
  return error == make_error_code(Errc::connection_refused) || error == make_error_code(Errc::host_unreachable) ||
         error == make_error_code(Errc::network_unreachable) || error == make_error_code(Errc::not_supported);
}

}  // namespace

Task<Result<net::Connected>> open_tunnel(Runtime& runtime, net::Connected connected, const Proxy& proxy, Address target,
                                         TimePoint deadline, TunnelOptions options) {
  tell(options, 0);
  if (const Result<void> possible = check(target); !possible) co_return fail(possible.error());
  const Limit limit(runtime.loop(), options.timeout, deadline);
  co_return co_await talk(runtime, std::move(connected), proxy, target, options, limit);
}

Task<Result<net::Connected>> dial_through(Runtime& runtime, Dialer& dialer, const Proxy& proxy, Address target,
                                          TimePoint deadline, TunnelOptions options) {
  tell(options, 0);
  if (const Result<void> possible = check(target); !possible) co_return fail(possible.error());
  if (proxy.kind() == Proxy::Kind::https && options.security == nullptr) co_return fail(Errc::unsupported_scheme);
  if (proxy.kind() != Proxy::Kind::socks5) {
    co_return co_await dial_one(runtime, dialer, proxy, target, deadline, options);
  }
  const Result<std::vector<Address>> addresses = co_await dialer.resolve(target, deadline, options.hooks);
  if (!addresses) co_return fail(addresses.error());
  ProxyAnswer answer;
  if (options.answer == nullptr) options.answer = &answer;
  std::error_code error;
  for (const Address& address : *addresses) {
    options.answer->status = 0;
    Result<net::Connected> tunnel = co_await dial_one(runtime, dialer, proxy, address, deadline, options);
    if (tunnel) co_return tunnel;
    error = tunnel.error();
    if (options.answer->status == 0 || !is_of_this_address(error)) break;
  }
  co_return fail(error);
}

}  // namespace pipette::client
