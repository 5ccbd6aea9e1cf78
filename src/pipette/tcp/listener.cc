#include "pipette/tcp/internal/listener.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pipette/tcp/internal/connection.h"
#include "pipette/tcp/internal/endpoint.h"
#include "pipette/tcp/internal/keep_alive.h"
#include "pipette/tcp/internal/loop.h"

namespace pipette::tcp {
namespace {

using net::Address;

void set_option(int fd, int level, int name, int value) { ::setsockopt(fd, level, name, &value, sizeof value); }

bool is_unspecified(const Address& address) {
  return std::ranges::all_of(address.ip(), [](std::uint8_t octet) { return octet == 0; });
}

// Those of the address, which can be set only before it is taken.
void set_address_options(int fd, const Address& address, const net::ListenOptions& options) {
  if (address.kind() == Address::Kind::unix_path) return;
  set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  if (options.reuse_port) set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
  // [::] means every interface, IPv4 included, whatever the system's default.
  if (address.kind() == Address::Kind::ipv6) set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, is_unspecified(address) ? 0 : 1);
}

// Those of the connections. Accepted sockets inherit the first two.
void set_options(int fd, const Address& address, const net::ListenOptions& options) {
  if (address.kind() == Address::Kind::unix_path) return;
  set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  set_keep_alive(fd, options.keep_alive);
  set_option(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, whole_seconds(options.defer_accept));
  if (options.fast_open > 0) set_option(fd, IPPROTO_TCP, TCP_FASTOPEN, options.fast_open);
}

// Whether `path` is the socket of a process that listens no more.
bool is_stale(const std::string& path, const Endpoint& endpoint) {
  struct stat file{};
  if (::lstat(path.c_str(), &file) != 0 || !S_ISSOCK(file.st_mode)) return false;
  const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (probe < 0) return false;
  const bool refused = ::connect(probe, endpoint.data(), endpoint.size) != 0 && errno == ECONNREFUSED;
  ::close(probe);
  return refused;
}

int bind_to(int fd, const Address& address, const Endpoint& endpoint) {
  if (::bind(fd, endpoint.data(), endpoint.size) == 0) return 0;
  if (errno != EADDRINUSE || address.kind() != Address::Kind::unix_path) return errno;
  if (!is_stale(address.text(), endpoint)) return EADDRINUSE;
  ::unlink(address.text().c_str());
  return ::bind(fd, endpoint.data(), endpoint.size) == 0 ? 0 : errno;
}

// Why `descriptor` is no socket to accept streams from; 0 when it is one.
int why_not_listening(int descriptor) {
  int is_listening = 0;
  int type = 0;
  socklen_t size = sizeof(int);
  if (::getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &size) != 0) return errno;
  if (::getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &size) != 0) return errno;
  if (type != SOCK_STREAM) return EPROTOTYPE;
  return is_listening != 0 ? 0 : EINVAL;
}

// As every descriptor of ours is: it never blocks, and no program that we start has it unasked.
bool make_ours(int descriptor) {
  const int flags = ::fcntl(descriptor, F_GETFL);
  return flags >= 0 && ::fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) == 0 &&
         ::fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0;
}

// Errors of a connection that was gone before we came to it (accept(2)); the next one may be well.
bool is_of_one_connection(int system_error) {
  switch (system_error) {
    case EINTR:
    case ECONNABORTED:
    case EPROTO:
    case ENOPROTOOPT:
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENONET:
      return true;
    default:
      return false;
  }
}

int accept_from(int listening, Endpoint& from) {
  int fd = -1;
  do {
    from = Endpoint();
    fd = ::accept4(listening, from.data(), &from.size, SOCK_NONBLOCK | SOCK_CLOEXEC);
  } while (fd < 0 && is_of_one_connection(errno));
  return fd;
}

bool somebody_waits(int fd) {
  pollfd ready{.fd = fd, .events = POLLIN, .revents = 0};
  return ::poll(&ready, 1, 0) > 0;
}

}  // namespace

Result<std::unique_ptr<Listener>> Listener::listen(Loop& loop, const Address& address,
                                                   const net::ListenOptions& options) {
  const Result<Endpoint> endpoint = to_endpoint(address);
  if (!endpoint) return fail(endpoint.error());
  const int fd = ::socket(endpoint->family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return fail(to_error(errno));
  auto listener = std::make_unique<Listener>(loop, fd);
  set_address_options(fd, address, options);
  set_options(fd, address, options);
  if (const int error = bind_to(fd, address, *endpoint)) return fail(to_error(error));
  const bool has_port = address.kind() != Address::Kind::unix_path;
  listener->address_ = has_port ? address.with_port(local_address(fd).port()) : address;
  listener->own_path();
  // Nobody can connect before it listens.
  if (!has_port && options.unix_mode && ::chmod(address.text().c_str(), *options.unix_mode) != 0) {
    return fail(to_error(errno));
  }
  if (::listen(fd, std::max(options.backlog, 1)) != 0) return fail(to_error(errno));
  if (const Result<void> begun = listener->socket_.begin(); !begun) return fail(begun.error());
  return listener;
}

Result<std::unique_ptr<Listener>> Listener::adopt(Loop& loop, int descriptor, const net::ListenOptions& options) {
  auto listener = std::make_unique<Listener>(loop, descriptor);
  if (const int error = why_not_listening(descriptor)) return fail(to_error(error));
  if (!make_ours(descriptor)) return fail(to_error(errno));
  listener->address_ = local_address(descriptor);
  if (listener->address_.kind() == Address::Kind::none) return fail(Errc::not_supported);
  if (const Result<void> begun = listener->socket_.begin(); !begun) return fail(begun.error());
  set_options(descriptor, listener->address_, options);
  return listener;
}

Result<net::Connected> Listener::try_accept() {
  Result<Handed> handed = accept_to_hand();
  if (!handed) return fail(handed.error());
  Result<std::unique_ptr<Connection>> connection = Connection::adopt(socket_.loop(), handed->descriptor.release());
  if (!connection) return fail(connection.error());
  return net::Connected{std::move(*connection), std::move(handed->local), std::move(handed->remote)};
}

Result<Handed> Listener::accept_to_hand() {
  if (!socket_.is_open()) return fail(Errc::listener_closed);
  if (socket_.is_drained(net::Direction::read)) return fail(Errc::would_block);
  Endpoint from;
  const int fd = accept_from(socket_.fd(), from);
  if (fd < 0) {
    const int error = errno;
    // The kernel looks for a descriptor first, and for a connection only then.
    if (error != EAGAIN && somebody_waits(socket_.fd())) return fail(to_error(error));
    socket_.found_nothing(net::Direction::read);
    return fail(Errc::would_block);
  }
  spare_.take();

  Handed connected{Descriptor(fd), address_, to_address(from)};
  if (address_.kind() == Address::Kind::unix_path) {
    connected.remote = address_;  // who dials a Unix socket has no name
  } else if (is_unspecified(address_)) {
    connected.local = local_address(fd);
  }
  return connected;
}

void Listener::wait(net::Waiter& waiter) { socket_.wait(net::Direction::read, waiter); }

bool Listener::shed() {
  if (!socket_.is_open()) return false;
  spare_.give_up();
  Endpoint from;
  const int fd = accept_from(socket_.fd(), from);
  if (fd >= 0) ::close(fd);
  spare_.take();
  return fd >= 0;
}

void Listener::Spare::take() {
  if (fd_ < 0) fd_ = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
}

void Listener::Spare::give_up() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

void Listener::close() {
  if (!socket_.is_open()) return;
  if (file_ != FileId() && file_at(address_) == file_) ::unlink(address_.text().c_str());
  socket_.close();
  spare_.give_up();
  ListNode::unlink();
}

Listener::FileId Listener::file_at(const Address& address) {
  struct stat file{};
  if (address.kind() != Address::Kind::unix_path || ::lstat(address.text().c_str(), &file) != 0) return {};
  return {file.st_dev, file.st_ino};
}

}  // namespace pipette::tcp
