// Exchange: one request and its response, with the memory they need. Internal to server/.
//
// A pooled object that can be moved out of its session, so that a handler which is late keeps what it refers to
// while the session goes on with a fresh one.
//
// Lifetime  the head's views point into `input`, which is not touched while the handler runs.   Threads  one loop's.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "pipette/base/buffer.h"
#include "pipette/base/poison.h"
#include "pipette/http/fields.h"
#include "pipette/http/framing.h"
#include "pipette/http/head.h"
#include "pipette/http/head_parser.h"
#include "pipette/net/address.h"
#include "pipette/net/runtime.h"
#include "pipette/net/security.h"
#include "pipette/server/lazy_parts.h"
#include "pipette/server/request_ctx.h"

namespace pipette::server {

// Who is at the ends of the connection an exchange belongs to.
struct Ends {
  net::Address local;
  net::Address remote;
};

struct ResponseParts {
  int status = 200;
  std::string reason;  // empty: the registered phrase
  std::string content_type;
  http::OwnedFields fields;
  std::string body;
  Bytes body_view;  // in place of `body`, when it is not empty
  bool close = false;
  bool no_default_server = false;
  bool no_default_date = false;
  bool no_default_content_type = false;

  Bytes body_bytes() const { return body_view.empty() ? Bytes(body) : body_view; }
  // Status, reason and fields as at first; that the connection closes, and which defaults are left out, stays.
  void drop_head();
  void drop_body();
  void clear();
};

struct Exchange {
  explicit Exchange(const http::HeadLimits& limits) : parser(limits) {}

  // Forgets the request and the response, keeps the memory and the octets that are still unparsed.
  void begin();

  Buffer input;  // the head, then whatever arrived behind it
  http::RequestParser parser;
  http::RequestHead head;
  std::size_t head_bytes = 0;
  http::BodyLength body_length;
  std::size_t inline_body_bytes = 0;  // of the body, when it stands in `input` behind the head
  Bytes body;
  std::string body_storage;          // where it stands otherwise
  mutable std::string decoded_path;  // when it is not what was sent

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
  TimePoint started_at{};
  const net::SecurityFacts* security = nullptr;  // null: the connection is not secured
  Runtime* runtime = nullptr;
  const Ends* ends = nullptr;
  RequestCtx ctx{*this};
};

// Keeps exchanges for the next request. Under AddressSanitizer it keeps none, so that a dead one stays dead.
class ExchangePool {
 public:
  explicit ExchangePool(const http::HeadLimits& limits) : limits_(limits) {}

  std::unique_ptr<Exchange> take() {
    if (free_.empty()) return std::make_unique<Exchange>(limits_);
    std::unique_ptr<Exchange> exchange = std::move(free_.back());
    free_.pop_back();
    return exchange;
  }
  void give_back(std::unique_ptr<Exchange> exchange) {
    if (kPoisons || free_.size() == kMaxKept) return;
    exchange->input.clear();
    exchange->begin();
    exchange->parser.forget();
    free_.push_back(std::move(exchange));
  }

 private:
  static constexpr std::size_t kMaxKept = 1024;

  http::HeadLimits limits_;
  std::vector<std::unique_ptr<Exchange>> free_;
};

}  // namespace pipette::server
