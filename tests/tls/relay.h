// Relay: somebody between client and server, who carries octets and understands none of them.
//
//   Relay relay(lab, "app:443", "origin:443");             // a man in the middle, to whoever dials "app"
//   Relay proxy(lab, "proxy:3128");                        // asks its client where to: CONNECT
//   relay.cut();   relay.cut_at_next();   relay.hold_after(100);
//
// Lifetime  the lab outlives it.   Threads  one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "pipette/async/task_group.h"
#include "pipette/lab/lab.h"
#include "pipette/net/security.h"

namespace pipette::tls {

class Relay {
 public:
  // With `security` its clients speak TLS to it.
  Relay(Lab& lab, std::string_view address, std::optional<std::string> to = std::nullopt,
        net::Security* security = nullptr)
      : runtime_(lab.runtime_of(*net::Address::parse(address))),
        to_(std::move(to)),
        security_(security),
        tasks_(runtime_.loop()) {
    tasks_.spawn(accept(*runtime_.network().listen(*net::Address::parse(address))));
    lab.settle();
  }

  std::size_t accepted() const { return accepted_; }

  // Ends what is open in order, as a network does that knows no TLS: no close_notify.
  void cut() {
    for (Way& way : ways_) {
      if (way.client) (void)way.client->try_close_write();
      if (way.server) (void)way.server->try_close_write();
    }
  }
  // The same when a client says something more.
  void cut_at_next() { is_cutting_ = true; }
  // Of each connection from now on carries so many octets, and no more.
  void hold_after(std::uint64_t octets) { limit_ = octets; }

 private:
  struct Way {
    std::unique_ptr<net::Connection> client;
    std::unique_ptr<net::Connection> server;
    std::uint64_t left = 0;
  };

  Task<> accept(std::unique_ptr<net::Listener> listener) {
    for (;;) {
      Result<net::Connected> connected = co_await listener->accept();
      if (!connected) co_return;
      ++accepted_;
      Way& way = ways_.emplace_back();
      way.left = limit_;
      way.client = std::move(connected->connection);
      tasks_.spawn(carry(way));
    }
  }

  Task<> carry(Way& way) {
    const bool is_open = co_await open(way);
    if (is_open) {
      Task<> back = pump(*way.server, *way.client, way, false);
      back.start();
      co_await pump(*way.client, *way.server, way, true);
      co_await back;
    }
    way.client.reset();
    way.server.reset();
  }

  Task<bool> open(Way& way) {
    if (security_ != nullptr) {
      Task<Result<net::Secured>> handshake = security_->server(runtime_, std::move(way.client), kNever);
      Result<net::Secured> secured = co_await handshake;
      if (!secured) co_return false;
      way.client = std::move(secured->connection);
    }
    std::string to = to_.value_or("");
    if (!to_) {
      Task<std::string> reading = read_target(*way.client);
      to = co_await reading;
    }
    if (to.empty()) co_return false;
    Task<Result<net::Connected>> dial = runtime_.network().dial(*net::Address::parse(to), kNever);
    Result<net::Connected> dialed = co_await dial;
    if (!dialed) co_return false;
    way.server = std::move(dialed->connection);
    if (!to_) {
      const Bytes answer = "HTTP/1.1 200 OK\r\n\r\n";
      const Result<void> written = co_await way.client->write(std::span(&answer, 1));
      co_return written.has_value();
    }
    co_return true;
  }

  // Of CONNECT; empty: that was something else.
  Task<std::string> read_target(net::Connection& connection) {
    std::string head;
    std::array<char, 1> room;
    while (!head.ends_with("\r\n\r\n")) {
      const Result<std::size_t> count = co_await connection.read_some(room);
      if (!count || *count == 0) co_return "";
      head += room[0];
    }
    constexpr std::string_view kConnect = "CONNECT ";
    if (!head.starts_with(kConnect)) co_return "";
    co_return head.substr(kConnect.size(), head.find(' ', kConnect.size()) - kConnect.size());
  }

  Task<> pump(net::Connection& from, net::Connection& to, Way& way, bool is_client) {
    std::array<char, 4096> room;
    for (;;) {
      const Result<std::size_t> count = co_await from.read_some(room);
      if (!count || *count == 0) break;
      if (is_client && is_cutting_) {
        is_cutting_ = false;
        (void)from.try_close_write();
        break;
      }
      const Bytes piece(room.data(), std::min<std::uint64_t>(*count, way.left));
      way.left -= piece.size();
      const Result<void> written = co_await to.write(std::span(&piece, 1));
      if (!written) break;
    }
    (void)to.try_close_write();
  }

  Runtime& runtime_;
  std::optional<std::string> to_;
  net::Security* security_;
  std::list<Way> ways_;
  std::size_t accepted_ = 0;
  std::uint64_t limit_ = UINT64_MAX;
  bool is_cutting_ = false;
  async::TaskGroup tasks_;  // last: its tasks use all of the above
};

}  // namespace pipette::tls
