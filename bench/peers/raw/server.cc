#include "bench/peers/raw/server.h"

#include <arpa/inet.h>
#include <cerrno>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>

namespace pipette::bench::raw {
namespace {

constexpr int kBacklog = 4096;
constexpr int kEventsATurn = 256;

int checked(int result, const char* what) {
  if (result < 0) throw std::system_error(errno, std::system_category(), what);
  return result;
}

void watch_reading(int epoll, int descriptor) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = descriptor;
  checked(::epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event), "epoll_ctl");
}

bool is(const phr_header& field, std::string_view name) {
  return field.name_len == name.size() && ::strncasecmp(field.name, name.data(), name.size()) == 0;
}

}  // namespace

Server::Server(Answer answer, std::uint16_t port) : answer_(answer) {
  epoll_ = checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
  listener_ = checked(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket");
  const int yes = 1;
  checked(::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes), "SO_REUSEADDR");
  sockaddr_in address{};
  socklen_t size = sizeof address;
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  checked(::bind(listener_, generic, size), "bind");
  checked(::listen(listener_, kBacklog), "listen");
  checked(::getsockname(listener_, generic, &size), "getsockname");
  port_ = ntohs(address.sin_port);
  watch_reading(epoll_, listener_);
}

Server::~Server() {
  ::close(listener_);
  ::close(epoll_);
}

void Server::watch(int descriptor) {
  watched_ = descriptor;
  watch_reading(epoll_, descriptor);
}

bool Server::turn() {
  std::array<epoll_event, kEventsATurn> events;
  const int count = ::epoll_wait(epoll_, events.data(), kEventsATurn, -1);
  bool is_watched_ready = false;
  for (int i = 0; i < count; ++i) {
    const int descriptor = events[static_cast<std::size_t>(i)].data.fd;
    if (descriptor == listener_) {
      accept_all();
    } else if (descriptor == watched_) {
      is_watched_ready = true;
    } else {
      serve(descriptor);
    }
  }
  return is_watched_ready;
}

void Server::accept_all() {
  for (;;) {
    const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (connection < 0) return;
    const int yes = 1;
    ::setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    watch_reading(epoll_, connection);
  }
}

void Server::serve(int connection) {
  const auto count = ::recv(connection, input_.data(), input_.size(), 0);
  if (count < 0 && errno == EAGAIN) return;
  if (count <= 0) return drop(connection);
  std::string_view octets(input_.data(), static_cast<std::size_t>(count));
  std::string joined;
  if (const auto rest = rests_.empty() ? rests_.end() : rests_.find(connection); rest != rests_.end()) {
    joined = std::move(rest->second);
    rests_.erase(rest);
    octets = joined.append(octets);
  }

  output_.clear();
  closes_ = false;
  refresh_head();
  const std::size_t taken = answer_all(octets);
  if (!output_.empty()) {
    const auto sent = ::send(connection, output_.data(), output_.size(), MSG_NOSIGNAL);
    if (sent != static_cast<ssize_t>(output_.size())) closes_ = true;
  }
  if (closes_ || octets.size() - taken > input_.size()) return drop(connection);
  if (taken < octets.size()) rests_[connection] = octets.substr(taken);
}

// Returns how much of the octets were requests.
std::size_t Server::answer_all(std::string_view octets) {
  std::size_t taken = 0;
  while (taken < octets.size() && !closes_) {
    const int size = request_.parse(octets.substr(taken));
    if (size == -1) closes_ = true;
    if (size < 0) break;
    if (!append_answer()) closes_ = true;
    taken += static_cast<std::size_t>(size);
  }
  return taken;
}

// Says whether the connection stays.
bool Server::append_answer() {
  bool stays = request_.minor_version == 1;
  for (std::size_t i = 0; i < request_.field_count; ++i) {
    const phr_header& field = request_.fields[i];
    if (is(field, "Content-Length") || is(field, "Transfer-Encoding")) return false;
    if (is(field, "Connection") && std::string_view(field.value, field.value_len) == "close") stays = false;
  }
  const std::string_view body = answer_(std::string_view(request_.target, request_.target_size));
  output_ += head_;
  output_ += std::to_string(body.size());
  output_ += "\r\n\r\n";
  output_ += body;
  return stays;
}

void Server::refresh_head() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME_COARSE, &now);
  if (now.tv_sec == head_of_) return;
  head_of_ = now.tv_sec;
  std::tm civil{};
  ::gmtime_r(&now.tv_sec, &civil);
  std::array<char, 40> date;
  const std::size_t size = std::strftime(date.data(), date.size(), "%a, %d %b %Y %H:%M:%S GMT", &civil);
  head_ = "HTTP/1.1 200 OK\r\nServer: rawloop\r\nDate: ";
  head_.append(date.data(), size);
  head_ += "\r\nContent-Type: text/plain\r\nContent-Length: ";
}

void Server::drop(int connection) {
  rests_.erase(connection);
  ::close(connection);
}

}  // namespace pipette::bench::raw
