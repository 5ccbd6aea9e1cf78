// Serving: a server at "app:80" in a lab of its own, and what its tests need around it.
//
//   Serving app(greet);
//   EXPECT_EQ(app.answer_to("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), ok("Hello") …);
//
//   statuses(octets)  --> {200, 200, 400}: a response each, every one of them well-formed
//   bodies(octets)    --> {"Hello", "", "bad request"}: the same
//
// Lifetime  owns lab and server; the log lines stay.   Threads  one.
#pragma once

#include <gtest/gtest.h>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipette/http/framing.h"
#include "pipette/http/head_parser.h"
#include "pipette/http/status.h"
#include "pipette/lab/lab.h"

namespace pipette::test {

inline constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
// Chunks are to follow.
inline constexpr std::string_view kChunkedHead = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

// A response taken apart. `body` is what stands behind the head, as its framing says.
struct Answer {
  http::ResponseHead head;
  std::string octets;  // of the head, which its views point into
  std::string body;

  std::string_view field(std::string_view name) const { return head.fields.get(name).value_or("(none)"); }
};

// Every response in `octets`, of which there must be no rest. `methods` of the requests they answer; GET when there
// are fewer of them.
inline std::vector<Answer> answers(std::string_view octets, const std::vector<http::Method>& methods = {}) {
  std::vector<Answer> found;
  while (!octets.empty()) {
    Answer& answer = found.emplace_back();
    answer.octets = octets;
    http::ResponseParser parser;
    const Result<std::size_t> size = parser.parse(answer.octets, answer.head);
    if (!size || *size == 0) {
      ADD_FAILURE() << "no response: " << octets;
      break;
    }
    octets.remove_prefix(*size);
    const bool is_interim = http::is_interim(answer.head.status);
    const http::Method method = found.size() <= methods.size() ? methods[found.size() - 1] : http::Method::get;
    const Result<http::BodyLength> length = http::body_length(answer.head, method);
    const bool has_body = length && length->kind == http::BodyLength::Kind::exact && !is_interim;
    if (has_body && length->size > octets.size()) ADD_FAILURE() << "cut short: " << answer.octets;
    if (has_body) {
      answer.body = octets.substr(0, length->size);
      octets.remove_prefix(answer.body.size());
    }
  }
  return found;
}

inline std::vector<int> statuses(std::string_view octets, const std::vector<http::Method>& methods = {}) {
  std::vector<int> found;
  for (const Answer& answer : answers(octets, methods)) found.push_back(answer.head.status);
  return found;
}

inline std::vector<std::string> bodies(std::string_view octets, const std::vector<http::Method>& methods = {}) {
  std::vector<std::string> found;
  for (const Answer& answer : answers(octets, methods)) found.push_back(answer.body);
  return found;
}

class Serving {
 public:
  explicit Serving(Handler handler, ServerOptions options = {}, const net::ChannelOptions& pipes = {})
      : server_(std::move(handler), with_log(std::move(options))), worker_(serve(pipes)) {}

  Lab& lab() { return lab_; }
  server::Worker& worker() { return worker_; }
  const std::vector<std::string>& log() const { return log_; }
  Peer connect() { return lab_.connect("app:80"); }

  // All that a connection gets that sends `request` and then finishes.
  std::string answer_to(Bytes request) {
    Peer peer = connect();
    peer.send(request);
    peer.close_write();
    lab_.run_until([&] { return peer.closed(); });
    EXPECT_FALSE(peer.was_reset());
    return peer.take();
  }

 private:
  ServerOptions with_log(ServerOptions options) {
    options.log = [this](std::string_view line) { log_.emplace_back(line); };
    return options;
  }
  server::Worker& serve(const net::ChannelOptions& pipes) {
    lab_.world().network().set_pipe_options(pipes);
    return lab_.serve(server_, "app:80");
  }

  std::vector<std::string> log_;
  Server server_;
  Lab lab_;
  server::Worker& worker_;
};

inline std::string get(std::string_view target, std::string_view fields = "") {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n";
}

inline std::string post(std::string_view target, std::string_view type, std::string_view body) {
  return "POST " + std::string(target) + " HTTP/1.1\r\nHost: a\r\nContent-Type: " + std::string(type) +
         "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

// The one answer to `request`, which `handler` was called for.
inline Answer answer_of(Handler handler, Bytes request = kGet) {
  Serving app(std::move(handler));
  std::vector<Answer> found = answers(app.answer_to(request));
  EXPECT_EQ(found.size(), 1U) << request;
  EXPECT_EQ(app.worker().served(), 1U) << request;
  return found.empty() ? Answer() : std::move(found[0]);
}

// The whole response to a GET under default options, in the first second of a world.
inline std::string ok(std::string_view body, std::string_view fields = "") {
  std::string text = "HTTP/1.1 200 OK\r\nServer: pipette\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n";
  if (!body.empty()) text += "Content-Type: text/plain; charset=utf-8\r\n";
  text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  text.append(fields).append("\r\n").append(body);
  return text;
}

}  // namespace pipette::test
