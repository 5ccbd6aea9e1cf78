// Session: HTTP on one connection, from its first octet to its close. Internal to server/.
//
//   next head ──> body ──> handler ──> response ──┐
//       ^                                         │   responses gather in out_ and are flushed together,
//       └──────────── keep alive ─────────────────┘   always before the session waits for anything
//
// Each step returns at once when what it needs is there already (async::Soon), so a batch of pipelined requests is
// served without a suspension; every 64 exchanges or 256 KiB the session lets others run.
//
// Lifetime  the worker outlives it.   Threads  the loop's.
#pragma once

#include <cstdint>
#include <memory>

#include "pipette/async/task.h"
#include "pipette/base/buffer.h"
#include "pipette/base/list.h"
#include "pipette/http/body_reader.h"
#include "pipette/http/message_writer.h"
#include "pipette/net/connection.h"
#include "pipette/net/listener.h"
#include "pipette/server/exchange.h"

namespace pipette::server {

class Worker;

class Session : public ListNode {
 public:
  Session(Worker& worker, net::Connected connected);
  ~Session();

  Task<> run();

  // Closes the connection as soon as no exchange is under way.
  void drain();
  void abort() { connection_->abort(); }

 private:
  enum class State : std::uint8_t { idle, reading, handling, closing };
  enum class Parsed : std::uint8_t { need_more, complete, refused };

  bool must_linger();

  async::Soon<bool> next_head();
  Task<bool> read_head();
  Parsed parse_head();
  Result<void> accept_head();

  async::Soon<bool> read_body();
  Task<bool> receive_body();
  Task<Result<void>> receive_all(http::BodyReader& reader);

  async::Soon<> call_handler();
  Task<> await_handler(Task<> handler);
  void refuse_thrown(const char* what);

  async::Soon<> finish();
  void write_response(Exchange& exchange, bool with_body);
  Result<http::BodyLength> try_write_response(const Exchange& exchange, bool with_body);
  http::ResponseHeadParts response_head(const Exchange& exchange) const;
  Task<> write_large_body();
  Task<> let_others_run();

  async::Soon<> flush();
  Task<> flush_rest(std::size_t written);

  void refuse(Errc error);
  void lose_connection() { is_connection_lost_ = true; }
  bool keeps_alive() const { return keeps_alive_ && !is_connection_lost_; }

  Worker& worker_;
  std::unique_ptr<net::Connection> connection_;
  Ends ends_;
  std::unique_ptr<Exchange> exchange_;
  Buffer out_;
  Buffer unparsed_;  // what arrived behind a head whose body is being received
  TimePoint head_deadline_;
  TimePoint idle_since_{};  // when all that was answered had been handed to the network
  State state_ = State::reading;
  bool keeps_alive_ = true;
  bool is_connection_lost_ = false;
  std::uint32_t exchanges_ = 0;
  std::uint32_t exchanges_in_a_row_ = 0;  // since the session last let others run
  std::size_t bytes_in_a_row_ = 0;
};

}  // namespace pipette::server
