// The practical limit over TCP: an HTTP server that is a loop around epoll, with no more than answering takes.
//
//   epoll_wait ──> recv ──> picohttpparser, as often as there is a request ──> one send
//
// What a product pays for on top of this is what it does for its users: limits, deadlines, routing, fields that are
// kept. So this has none of it. Of the fields it looks at those that say where a request ends and whether the
// connection stays; a request with a body and a client that does not take its answers are cut off.
//
// The level of readiness is what is asked for, and one recv a wake takes all there is: edges would cost one more, which
// says that there is nothing.
//
// Errors    std::system_error from the constructor.   Threads  one.
#pragma once

#include <array>
#include <cstdint>
#include <ctime>
#include <map>
#include <string>
#include <string_view>

#include "bench/peers/c/pico.h"

namespace pipette::bench::raw {

class Server {
 public:
  // The body for a target.
  using Answer = std::string_view (*)(std::string_view target);

  // Listens on that port of 127.0.0.1; 0: on any free one.
  Server(Answer answer, std::uint16_t port);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server();

  std::uint16_t port() const { return port_; }
  // Makes turn() return when there is something to read from a descriptor of somebody else's.
  void watch(int descriptor);
  // Waits for whatever comes, and serves it. Says whether the descriptor that is watched has something to read.
  bool turn();

 private:
  void accept_all();
  void serve(int connection);
  std::size_t answer_all(std::string_view octets);
  bool append_answer();
  void refresh_head();
  void drop(int connection);

  Answer answer_;
  int epoll_ = -1;
  int listener_ = -1;
  int watched_ = -1;
  std::uint16_t port_ = 0;
  std::array<char, 64 * 1024> input_;
  std::map<int, std::string> rests_;  // of requests that have come in part
  std::string output_;                // for one connection at a time
  bool closes_ = false;               // behind the output
  std::time_t head_of_ = 0;           // the second it tells
  std::string head_;                  // up to the length of the body
  PicoRequest<phr_parse_request> request_;
};

}  // namespace pipette::bench::raw
