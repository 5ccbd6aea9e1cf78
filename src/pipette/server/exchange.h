// Exchange: one request and its response, with the memory they need. Internal to server/.
//
//   session ── owns ──> exchange ── owns ──> handler's task          as long as somebody waits for the handler
//   worker  ── owns ──> exchange ── owns ──> handler's task          once nobody does: it is overdue
//
// A pooled object that can be moved out of its session, so that a handler which is late keeps what it refers to
// while the session goes on with a fresh one.
//
// Lifetime  the head's views point into `input`, which is not touched while the handler runs.   Threads  one loop's.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pipette/async/stop.h"
#include "pipette/async/task.h"
#include "pipette/base/buffer.h"
#include "pipette/base/poison.h"
#include "pipette/http/body_reader.h"
#include "pipette/http/fields.h"
#include "pipette/http/framing.h"
#include "pipette/http/head.h"
#include "pipette/http/head_parser.h"
#include "pipette/http/message_writer.h"
#include "pipette/net/address.h"
#include "pipette/net/runtime.h"
#include "pipette/net/security.h"
#include "pipette/server/hijack.h"
#include "pipette/server/late_answer.h"
#include "pipette/server/lazy_parts.h"
#include "pipette/server/request_ctx.h"

namespace pipette::server {

// Who is at the ends of the connection an exchange belongs to.
struct Ends : async::RecycledFrame {
  Ends(net::Address of_local, net::Address of_remote) : local(std::move(of_local)), remote(std::move(of_remote)) {}
  net::Address local;
  net::Address remote;
  std::shared_ptr<const net::SecurityFacts> security;  // null: the connection is not secured
};

class Server;
class Session;

struct ResponseParts {
  // Whether what most responses do not have is as at first: reason, body_view, the defaults, what is streamed.
  bool is_plain = true;
  int status = 200;
  std::string reason;  // empty: the registered phrase
  std::string content_type;
  http::OwnedFields fields;
  std::string body;
  Bytes body_view;  // in place of `body`, when it is not empty
  http::OwnedFields trailers;
  std::unique_ptr<BodySource> source;                     // in place of the body
  http::KnownLength stream_length = http::KnownLength();  // of a body that is streamed
  bool close = false;
  bool no_default_server = false;
  bool no_default_date = false;
  bool no_default_content_type = false;

  Bytes body_bytes() const { return body_view.empty() ? Bytes(body) : body_view; }
  // Status, reason and fields as at first; that the connection closes, and which defaults are left out, stays.
  void drop_head();
  void drop_body();
  void drop_stream();
  void drop_special();
  void clear();
};

struct Exchange {
  Exchange(const http::HeadLimits& limits, async::Loop& loop) : parser(limits), stop(loop) {}

  // Forgets the request and the response, keeps the memory and the octets that are still unparsed.
  void begin();
  bool is_blank = true;  // nothing has come to it since
  // For another one. It keeps little memory.
  void forget_connection();
  void begin_plain();
  // In place of what the connection says, until the next request.
  void show_remote(net::Address remote);

  Buffer input;  // the head, then whatever arrived behind it
  http::RequestParser parser;
  http::RequestHead head;
  std::size_t head_bytes = 0;
  http::BodyLength body_length;
  std::size_t inline_body_bytes = 0;  // of the body, when it stands in `input` behind the head
  Bytes body;
  std::string body_storage;                     // where it stands otherwise
  std::optional<http::BodyReader> body_reader;  // of such a body
  http::OwnedFields trailers;                   // behind it
  mutable std::string decoded_path;             // when it is not what was sent

  std::unique_ptr<LazyParts> lazy;  // null until a handler asks for one of them
  LazyParts& lazily() {
    if (lazy == nullptr) lazy = std::make_unique<LazyParts>();
    return *lazy;
  }
  void forget_lazy_parts();

  ResponseParts response;

  std::uint64_t connection_id = 0;
  std::uint64_t request_number = 0;  // on its connection, from 1
  TimePoint connected_at{};
  TimePoint started_at{};                        // when the head was there
  const net::SecurityFacts* security = nullptr;  // null: the connection is not secured
  const Server* server = nullptr;
  Runtime* runtime = nullptr;
  const Ends* ends = nullptr;
  // ---- while a handler is at work
  // Whether anything below, or a body reader, was used: most exchanges need none of it.
  bool is_plain = true;
  Session* session = nullptr;  // null: nobody waits for this exchange
  async::StopSource stop;
  TimePoint deadline = kNever;  // of the handler
  Duration handler_timeout{};
  std::uint64_t max_body_bytes = 0;
  LateAnswer late_answer;
  bool has_given_up = false;  // the handler itself has asked for the late answer
  bool is_handling = false;   // a task that has not ended
  Task<> handler;
  std::optional<std::string> thrown;  // what it has thrown
  std::optional<Hijack> hijack;
  std::unique_ptr<Ends> own_ends;         // of an overdue one, whose connection may be gone
  std::unique_ptr<Ends> shown_ends;       // what `ends` points to while a handler shows others than the connection's
  const Ends* connection_ends = nullptr;  // what it points to again afterwards

  RequestCtx ctx{*this};
};

// Keeps exchanges for the next request. Under AddressSanitizer it keeps none, so that a dead one stays dead.
class ExchangePool {
 public:
  ExchangePool(const http::HeadLimits& limits, async::Loop& loop) : limits_(limits), loop_(loop) {}

  std::unique_ptr<Exchange> take() {
    if (free_.empty()) return std::make_unique<Exchange>(limits_, loop_);
    std::unique_ptr<Exchange> exchange = std::move(free_.back());
    free_.pop_back();
    return exchange;
  }
  void give_back(std::unique_ptr<Exchange> exchange) {
    if (kPoisons || free_.size() == kMaxKept) return;
    if (!exchange->is_blank) exchange->begin();
    exchange->forget_connection();
    free_.push_back(std::move(exchange));
  }

 private:
  static constexpr std::size_t kMaxKept = 1024;

  http::HeadLimits limits_;
  async::Loop& loop_;
  std::vector<std::unique_ptr<Exchange>> free_;
};

}  // namespace pipette::server
