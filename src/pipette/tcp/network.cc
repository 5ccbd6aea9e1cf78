#include "pipette/tcp/internal/network.h"

#include <algorithm>
#include <asio/ip/tcp.hpp>
#include <cerrno>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

#include "pipette/tcp/internal/arrival.h"
#include "pipette/tcp/internal/asio_thread.h"
#include "pipette/tcp/internal/connection.h"
#include "pipette/tcp/internal/endpoint.h"
#include "pipette/tcp/internal/keep_alive.h"
#include "pipette/tcp/internal/listener.h"
#include "pipette/tcp/internal/loop.h"

namespace pipette::tcp {
namespace {

using asio::ip::tcp;
using net::Address;
using Addresses = Result<std::vector<Address>>;

Addresses to_addresses(std::error_code error, const tcp::resolver::results_type& found, std::uint16_t port) {
  if (error && error.category() == std::system_category()) return fail(to_error(error.value()));
  std::vector<Address> addresses;
  for (const auto& entry : found) {
    const asio::ip::address ip = entry.endpoint().address();
    addresses.push_back(ip.is_v4() ? Address::ipv4(ip.to_v4().to_bytes(), port)
                                   : Address::ipv6(ip.to_v6().to_bytes(), port));
  }
  if (addresses.empty()) return fail(Errc::host_not_found);
  return addresses;
}

Result<asio::io_context*> start_asio(Loop& loop) {
  try {
    return &loop.asio().io();
  } catch (const std::system_error& error) {
    const int number = error.code().value();
    return fail(number == EAGAIN ? error.code() : to_error(number));  // EAGAIN: no thread is left
  }
}

// What the kernel says where nobody listens; for a Unix path also: no such file, or its backlog is full.
std::error_code dial_error(const Address& address, int system_error) {
  const bool is_path = address.kind() == Address::Kind::unix_path;
  if (is_path && (system_error == ENOENT || system_error == EAGAIN)) return make_error_code(Errc::connection_refused);
  return to_error(system_error);
}

int pending_error(int fd) {
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) return errno;
  return error;
}

// A port that is left open is chosen when it is known where the connection goes: so many more can share one address.
Result<void> bind_to(int fd, const Address& local, int family) {
  if (local.kind() == Address::Kind::none) return {};
  const Result<Endpoint> endpoint = to_endpoint(local);
  if (!endpoint) return fail(endpoint.error());
  if (endpoint->family() != family) return fail(Errc::bad_address);
  const int on = 1;
  if (family != AF_UNIX && local.port() == 0) {
    ::setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  }
  if (::bind(fd, endpoint->data(), endpoint->size) != 0) return fail(to_error(errno));
  return {};
}

}  // namespace

Network::~Network() = default;

Result<std::unique_ptr<net::Listener>> Network::listen(const Address& address, const net::ListenOptions& options) {
  if (address.kind() != Address::Kind::name) return enlist(Listener::listen(loop_, address, options));
  asio::io_context io;
  tcp::resolver resolver(io);
  std::error_code error;
  const auto found = resolver.resolve(address.text(), "", tcp::resolver::passive, error);
  const Addresses addresses = to_addresses(error, found, address.port());
  if (!addresses) return fail(addresses.error());
  const auto ipv4 = std::ranges::find(*addresses, Address::Kind::ipv4, &Address::kind);
  return enlist(Listener::listen(loop_, ipv4 == addresses->end() ? addresses->front() : *ipv4, options));
}

Result<std::unique_ptr<net::Listener>> Network::adopt_listener(int descriptor, const net::ListenOptions& options,
                                                               UnixPath path) {
  Result<std::unique_ptr<Listener>> listener = Listener::adopt(loop_, descriptor, options);
  if (listener && path == UnixPath::remove) (*listener)->own_path();
  return enlist(std::move(listener));
}

Result<std::unique_ptr<net::Listener>> Network::enlist(Result<std::unique_ptr<Listener>> listener) {
  if (!listener) return fail(listener.error());
  listeners_.push_back(**listener);
  return std::move(*listener);
}

std::vector<Listening> Network::listening() const {
  std::vector<Listening> all;
  listeners_.for_each([&all](const Listener& listener) { all.push_back({listener.address(), listener.fd()}); });
  return all;
}

void Network::own_unix_path(const Address& path) {
  listeners_.for_each([&path](Listener& listener) {
    if (listener.address() == path) listener.own_path();
  });
}

void Network::leave_unix_paths() {
  listeners_.for_each([](Listener& listener) { listener.leave_path(); });
}

Task<Result<net::Connected>> Network::dial(Address address, net::DialOptions options) {
  if (options.deadline <= loop_.now()) co_return fail(Errc::timed_out);
  if (address.kind() != Address::Kind::name) co_return co_await dial_one(std::move(address), std::move(options));
  Addresses addresses = co_await resolve(address.text(), address.port(), options.deadline);
  if (!addresses) co_return fail(addresses.error());
  co_return co_await dial_first_of(std::move(*addresses), std::move(options));
}

Task<Result<net::Connected>> Network::dial_first_of(std::vector<Address> addresses, net::DialOptions options) {
  const TimePoint deadline = options.deadline;
  std::error_code error;
  auto left = static_cast<int>(addresses.size());
  for (Address& candidate : addresses) {
    const Duration share = deadline == kNever ? Duration::max() : (deadline - loop_.now()) / left--;
    options.deadline = after(loop_.now(), share);
    Result<net::Connected> connected = co_await dial_one(std::move(candidate), options);
    if (connected) co_return connected;
    error = connected.error();
    if (deadline <= loop_.now()) co_return fail(Errc::timed_out);
  }
  co_return fail(error);
}

Task<Result<net::Connected>> Network::dial_one(Address address, net::DialOptions options) {
  const Result<Endpoint> endpoint = to_endpoint(address);
  if (!endpoint) co_return fail(endpoint.error());
  const int fd = ::socket(endpoint->family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) co_return fail(to_error(errno));
  const bool is_path = address.kind() == Address::Kind::unix_path;
  const int on = 1;
  if (!is_path) {
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    set_keep_alive(fd, net::kKeepAlive);
    if (options.fast_open) ::setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &on, sizeof on);
  }
  if (const Result<void> bound = bind_to(fd, options.local, endpoint->family()); !bound) {
    ::close(fd);
    co_return fail(bound.error());
  }
  const int at_once = ::connect(fd, endpoint->data(), endpoint->size) == 0 ? 0 : errno;
  Result<std::unique_ptr<Connection>> adopted = Connection::adopt(loop_, fd);
  if (!adopted) co_return fail(adopted.error());
  if (at_once != 0 && at_once != EINPROGRESS) co_return fail(dial_error(address, at_once));
  std::unique_ptr<Connection> connection = std::move(*adopted);
  if (is_path) co_return net::Connected{std::move(connection), address, address};

  // Connected when the socket has a peer, or at once, when the handshake goes with the first octets; until then it has
  // an error, or nothing yet.
  connection->set_deadline(net::Direction::write, options.deadline);
  while (at_once == EINPROGRESS && !connection->has_peer()) {
    if (const int error = pending_error(fd)) co_return fail(dial_error(address, error));
    if (options.deadline <= loop_.now()) co_return fail(Errc::timed_out);
    co_await net::Readiness(*connection, net::Direction::write);
  }
  connection->set_deadline(net::Direction::write, kNever);
  const Address local = local_address(fd);
  // A free port of our own can be given to this very socket, which then talks to itself.
  if (local == address) co_return fail(Errc::connection_refused);
  co_return net::Connected{std::move(connection), local, std::move(address)};
}

Task<Addresses> Network::resolve(std::string host, std::uint16_t port, TimePoint deadline) {
  if (deadline <= loop_.now()) co_return fail(Errc::timed_out);
  const Result<Address> parsed = Address::parse(host, port);
  if (!parsed) co_return fail(parsed.error());
  if (parsed->kind() != Address::Kind::name) co_return std::vector<Address>(1, *parsed);

  // A look-up that has begun cannot be cancelled and ends into an Arrival that nobody looks at; one that has not is
  // cancelled with its resolver.
  const Result<asio::io_context*> io = start_asio(loop_);
  if (!io) co_return fail(io.error());
  const auto arrival = std::make_shared<Arrival<Addresses>>(loop_);
  tcp::resolver resolver(**io);
  resolver.async_resolve(
      host, "",
      [to = Delivery(loop_, arrival), port](std::error_code error, const tcp::resolver::results_type& found) mutable {
        to.bring(to_addresses(error, found, port));
      });
  arrival->slot.set_deadline(deadline);
  while (!arrival->value) {
    if (deadline <= loop_.now()) co_return fail(Errc::timed_out);
    co_await arrival->wait();
  }
  co_return std::move(*arrival->value);
}

}  // namespace pipette::tcp
