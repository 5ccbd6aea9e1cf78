// Logs made by hand, for tests of what is made from logs.
//
//   NetworkLogWriter writer;
//   const auto c = writer.dial("client", "app", 80);
//   writer.at(1ms).send(c, 0, "GET / HTTP/1.1\r\n\r\n");
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "pipette/inmem/event_log.h"

namespace pipette::lab {

class NetworkLogWriter {
 public:
  explicit NetworkLogWriter(std::size_t kept_bytes = inmem::EventLog::kKeptBytes) : log_(kept_bytes) {}

  const inmem::EventLog& log() const { return log_; }

  // From now on, and from then on.
  NetworkLogWriter& at(Duration since_start) {
    now_ = TimePoint(since_start);
    return *this;
  }
  NetworkLogWriter& in(Duration wait) {
    now_ += wait;
    return *this;
  }

  std::uint32_t dial(const std::string& from, const std::string& to, std::uint16_t port) {
    const std::string here = ip(from) + ":" + std::to_string(next_port_++);
    const std::string there = ip(to) + ":" + std::to_string(port);
    return dial_at(from, to, here, there, from + " " + here + " -> " + to + ":" + std::to_string(port) + " " + there);
  }
  std::uint32_t dial_at(const std::string& from, const std::string& to, const std::string& here,
                        const std::string& there, std::string_view text) {
    const auto number = static_cast<std::uint32_t>(log_.connections() + 1);
    log_.add_connection({"conn " + std::to_string(number), {from, to}, {here, there}});
    say(inmem::EventKind::dial, text, number, 0);
    return number;
  }
  NetworkLogWriter& send(std::uint32_t connection, std::uint8_t side, Bytes octets) {
    log_.add({.time = now_,
              .kind = inmem::EventKind::sent,
              .side = side,
              .takes_time = slow_.contains({connection, side}),
              .connection = connection,
              .count = octets.size()},
             octets);
    return *this;
  }
  // From now on, what this side sends takes time; or no longer.
  NetworkLogWriter& slow(std::uint32_t connection, std::uint8_t side, bool is_slow = true) {
    slow_.erase({connection, side});
    if (is_slow) slow_.emplace(connection, side);
    return *this;
  }
  NetworkLogWriter& arrive(std::uint32_t connection, std::uint8_t side, std::size_t count) {
    log_.add(
        {.time = now_, .kind = inmem::EventKind::received, .side = side, .connection = connection, .count = count});
    return *this;
  }
  NetworkLogWriter& say(inmem::EventKind kind, std::string_view text = "", std::uint32_t connection = 0,
                        std::uint8_t side = inmem::kNoSide) {
    const bool is_late = kind == inmem::EventKind::finished && slow_.contains({connection, side});
    log_.add({.time = now_, .kind = kind, .side = side, .takes_time = is_late, .connection = connection}, text);
    return *this;
  }

 private:
  std::string ip(const std::string& host) {
    const std::size_t number = hosts_.try_emplace(host, hosts_.size() + 1).first->second;
    return "10.0." + std::to_string(number / 256) + "." + std::to_string(number % 256);
  }

  inmem::EventLog log_;
  TimePoint now_{};
  std::map<std::string, std::size_t> hosts_;
  std::set<std::pair<std::uint32_t, std::uint8_t>> slow_;
  std::uint16_t next_port_ = 49152;
};

// A page, two requests in one segment, a slow link with a body in pieces, a time-out, a fault and a reset, a dial that
// fails, and a long silence.
inline inmem::EventLog example_log() {
  using inmem::EventKind;
  using std::chrono::milliseconds;
  using std::chrono::seconds;
  NetworkLogWriter writer;
  writer.say(EventKind::listen, "app:80").say(EventKind::listen, "store:5000");
  const auto a = writer.dial("client", "app", 80);
  writer.say(EventKind::accepted, "", a, 1);
  writer.send(a, 0, "GET /hello?name=<b>&x=1 HTTP/1.1\r\nHost: app\r\n\r\n");
  writer.send(a, 1, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 14\r\n\r\nHello, <world>");
  writer.in(milliseconds(250))
      .send(a, 0,
            "GET /a HTTP/1.1\r\nHost: app\r\n\r\nGET /b HTTP/1.1\r\nHost: app\r\n\r\n"
            "GET /c HTTP/1.1\r\nHost: app\r\n\r\n");
  writer.send(a, 1,
              "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nAHTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
              "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nC");

  writer.in(milliseconds(1)).say(EventKind::link, "app -> store: latency 20 ms");
  const auto b = writer.dial("app", "store", 5000);
  writer.in(milliseconds(40)).say(EventKind::accepted, "", b, 1);
  const std::string head = "PUT /things/7 HTTP/1.1\r\nHost: store\r\nContent-Length: 4000\r\n\r\n";
  const std::string body(4000, 'x');
  writer.slow(b, 0).slow(b, 1);
  writer.send(b, 0, head).send(b, 0, body.substr(0, 2000)).send(b, 0, body.substr(2000));
  writer.in(milliseconds(20)).arrive(b, 0, head.size() + 2000);
  writer.in(milliseconds(3)).arrive(b, 0, 2000);
  const std::string created = "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n";
  writer.in(milliseconds(1)).send(b, 1, created);
  writer.in(milliseconds(20)).arrive(b, 1, created.size());

  const auto c = writer.dial("client", "app", 80);
  writer.say(EventKind::accepted, "", c, 1).send(c, 0, "GET /slow HTTP/1.1\r\nHost: a");
  writer.in(seconds(10)).say(EventKind::timed_out, "read", c, 1);
  writer.send(c, 1, "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  writer.say(EventKind::finished, "", c, 1).in(milliseconds(1)).say(EventKind::finished, "", c, 0);
  writer.say(EventKind::closed, "", c, 0).say(EventKind::closed, "", c, 1);

  writer.in(seconds(2)).say(EventKind::fault, "the link app -> store goes silent", b, 0);
  writer.send(b, 0, std::string("\0\x01\xff\x80 not HTTP", 13));
  writer.in(seconds(3600)).say(EventKind::timed_out, "read", b, 0).say(EventKind::reset, "app aborts", b, 0);
  writer.say(EventKind::refused, "client 10.0.0.1:49200 -> app:81 10.0.0.2:81: nobody listens at that address");
  writer.say(EventKind::accept_failed, "app:80: too many open files");
  writer.say(EventKind::note, "the client gives up");
  writer.say(EventKind::finished, "", a, 0).say(EventKind::finished, "", a, 1);
  writer.say(EventKind::closed, "", a, 1).say(EventKind::closed, "", a, 0);
  return writer.log();
}

// Four clients, an application and two stores, with some hundreds of events on links that take time.
inline inmem::EventLog busy_log(int rounds) {
  using inmem::EventKind;
  using std::chrono::microseconds;
  using std::chrono::milliseconds;
  using std::chrono::seconds;
  NetworkLogWriter writer;
  for (int i = 0; i < rounds; ++i) {
    const std::string client = "client-" + std::to_string(1 + i % 4);
    const std::string store = i % 3 == 0 ? "store-b" : "store-a";
    const std::string number = std::to_string(i);
    const auto front = writer.in(microseconds(1300 * (i % 5))).dial(client, "app", 80);
    const std::string request = "GET /things/" + number + " HTTP/1.1\r\nHost: app\r\n\r\n";
    writer.send(front, 0, request).in(milliseconds(2)).arrive(front, 0, request.size());
    const auto back = writer.dial("app", store, 5000);
    writer.in(microseconds(500)).send(back, 0, request).in(microseconds(700)).arrive(back, 0, request.size());
    if (i % 7 == 3) {
      writer.say(EventKind::fault, "connection_reset on the 2nd read", back, 1);
      writer.say(EventKind::reset, "fault", back, 1);
    } else {
      const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n" + std::string(2000, 'y');
      writer.send(back, 1, answer).in(microseconds(900)).arrive(back, 1, answer.size());
      writer.say(EventKind::finished, "", back, 0).say(EventKind::finished, "", back, 1);
    }
    const std::string status = i % 7 == 3 ? "502 Bad Gateway" : "200 OK";
    const std::string reply = "HTTP/1.1 " + status + "\r\nContent-Length: 2\r\n\r\nok";
    writer.send(front, 1, reply).in(milliseconds(2)).arrive(front, 1, reply.size());
    writer.say(EventKind::finished, "", front, 0).say(EventKind::closed, "", front, 0);
    if (i % 11 == 10) writer.in(seconds(5));
  }
  return writer.log();
}

}  // namespace pipette::lab
