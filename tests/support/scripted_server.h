// ScriptedServer: a server that says exactly the octets a test gives it, and shows what the client sent.
//
//   ScriptedServer server(lab, "app:80");
//   server.answer("HTTP/1.1 204 No Content\r\n\r\n");        // to the next request, whatever it is
//   server.answer_and_close("HTTP/1.0 200 OK\r\n\r\nbody");  // to the one after it, then FIN
//   lab.get("http://app/");   EXPECT_EQ(server.requests()[0], "GET / HTTP/1.1\r\n…");
//
// Answers are used in order, whichever connection asks. A request ends with its head, or with its Content-Length.
// When no answer is left, the connection is held and stays silent.
//
// Lifetime  the lab outlives it.   Threads  one.
#pragma once

#include <array>
#include <cstdlib>
#include <deque>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipette/async/task_group.h"
#include "pipette/lab/lab.h"

namespace pipette::test {

class ScriptedServer {
 public:
  enum class Then { stay, close, reset };

  ScriptedServer(Lab& lab, std::string_view address) : tasks_(lab.world().loop()) {
    const Result<net::Address> where = net::Address::parse(address);
    Result<std::unique_ptr<net::Listener>> listener = lab.world().network().listen(where.value());
    tasks_.spawn(accept(std::move(listener.value())));
  }

  void answer(std::string octets, Then then = Then::stay) { answers_.push_back({std::move(octets), then}); }
  void answer_and_close(std::string octets) { answer(std::move(octets), Then::close); }
  // Resets the connection when the next request has come.
  void reset_next() { answer("", Then::reset); }

  // Whole requests, in order.
  const std::vector<std::string>& requests() const { return requests_; }
  std::size_t accepted() const { return connections_.size(); }
  // How many connections their clients have left.
  std::size_t left() const { return left_; }
  // Closes the connection that was accepted as number `index`, on which nothing may be under way.
  void close(std::size_t index) { (void)connections_.at(index)->try_close_write(); }
  // Says something nobody asked for.
  void say(std::size_t index, Bytes octets) { (void)connections_.at(index)->try_write({&octets, 1}); }

 private:
  struct Answer {
    std::string octets;
    Then then;
  };

  Task<> accept(std::unique_ptr<net::Listener> listener) {
    for (;;) {
      Result<net::Connected> connected = co_await listener->accept();
      if (!connected) co_return;
      connections_.push_back(std::move(connected->connection));
      tasks_.spawn(converse(*connections_.back()));
    }
  }

  Task<> converse(net::Connection& connection) {
    std::string input;
    std::array<char, 4096> room;
    for (;;) {
      std::size_t size = request_size(input);
      while (size == 0) {
        const Result<std::size_t> count = co_await connection.read_some(room);
        if (!count || *count == 0) {
          ++left_;
          co_return;
        }
        input.append(room.data(), *count);
        size = request_size(input);
      }
      requests_.push_back(input.substr(0, size));
      input.erase(0, size);
      if (answers_.empty()) continue;
      const Answer next = std::move(answers_.front());
      answers_.pop_front();
      const Bytes octets = next.octets;
      const std::span<const Bytes> pieces(&octets, 1);
      (void)co_await connection.write(pieces);
      if (next.then == Then::close) (void)connection.try_close_write();
      if (next.then == Then::reset) connection.abort();
    }
  }

  // Of the request that `input` begins with; 0 when it is not whole.
  static std::size_t request_size(std::string_view input) {
    const std::size_t head_end = input.find("\r\n\r\n");
    if (head_end == std::string_view::npos) return 0;
    constexpr std::string_view kLength = "\r\nContent-Length: ";
    const std::size_t length_at = input.substr(0, head_end).find(kLength);
    std::size_t size = head_end + 4;
    if (length_at != std::string_view::npos) {
      size += std::strtoul(input.data() + length_at + kLength.size(), nullptr, 10);
    }
    return size <= input.size() ? size : 0;
  }

  std::deque<Answer> answers_;
  std::vector<std::string> requests_;
  std::vector<std::unique_ptr<net::Connection>> connections_;
  std::size_t left_ = 0;
  async::TaskGroup tasks_;  // last: its tasks use all of the above
};

}  // namespace pipette::test
