// Session: HTTP on one connection, for as long as there is something to do. Internal to server/.
//
//   next head ──> body ──> handler ──> response ──┐
//       ^                                         │   responses gather in the outbox and are flushed together,
//       └──────────── keep alive ─────────────────┘   always before the session waits for anything
//
// Each step returns at once when what it needs is there already (async::Soon), so a batch of pipelined requests is
// served without a suspension; every 64 exchanges or 256 KiB the session lets others run.
//
// A handler that suspends runs beside the session, as a task of the worker's. The session reads ahead meanwhile, to see
// whether the client is still there, and waits for whatever comes first: the handler's end, its deadline, its own
// wish to be late (timeout_error), or the end of the server. Late handlers keep their exchange; the session goes on
// with another.
//
// A session serves a guest until its connection ends, or idles (guest.h): it keeps nothing that has to be known when
// there is more. One whose guest idles serves another, with the memory that it has.
//
// Lifetime  the worker outlives it, and its guest unless it was detached.   Threads  the loop's.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "pipette/async/event.h"
#include "pipette/async/task.h"
#include "pipette/async/timer.h"
#include "pipette/http/body_writer.h"
#include "pipette/http/message_writer.h"
#include "pipette/net/connection.h"
#include "pipette/server/exchange.h"
#include "pipette/server/guest.h"
#include "pipette/server/options.h"
#include "pipette/server/outbox.h"
#include "pipette/server/read_ahead.h"

namespace pipette::server {

class Worker;

class Session final : public async::RecycledFrame, private ReadAhead::Owner, private Outbox::Owner {
 public:
  explicit Session(Worker& worker);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();

  void attach(Guest& guest);
  // Leaves a guest for whom there is nothing to do. False: it is not worth keeping for another one.
  bool detach();
  // True: there is nothing to read. False: the connection is done with.
  Task<bool> run();
  // Whether it waits for the first octet of a request.
  bool is_idle() const { return state_ == State::idle; }
  // Whether all that has arrived is served, and answered.
  bool has_nothing() const { return state_ == State::idle && exchange_->input.empty(); }
  // Tells the handler to stop.
  void request_stop(async::StopReason reason);
  // Ends it now: what is under way is cut off, and a handler that does not return is overdue.
  void abort();

  // ---- what the context of its exchange asks for (request_ctx.h)
  Task<Result<Bytes>> read_body_some();
  async::Soon<Result<void>> write_body(Bytes data);
  Task<Result<void>> flush_body();
  Result<void> send_interim(int status, const http::OwnedFields& fields);
  void set_read_deadline(TimePoint deadline) { own_read_deadline_ = deadline; }
  void set_write_deadline(TimePoint deadline);
  bool has_begun_response() const { return body_writer_.has_value(); }
  void move_handler_deadline();
  // What a handler has left to be sent, as a part of its work.
  static bool wants_source_sent(const Exchange& exchange);
  static Task<> send_source(Exchange& exchange);
  // The handler has ended, or given up.
  void attend() { attention_.set(); }

 private:
  enum class State : std::uint8_t { idle, reading, handling, closing };
  enum class Parsed : std::uint8_t { need_more, complete, refused };
  // What comes of reading.
  enum class Next : std::uint8_t { request, nothing, end };

  // Says that the handler's time is over.
  struct HandlerDeadline final : async::Timer {
    explicit HandlerDeadline(Session& owner) : session(owner) {}
    void run() override {
      session.is_handler_late_ = true;
      session.attend();
    }
    Session& session;
  };

  Task<> end();
  void take_exchange();
  void introduce_guest();
  bool must_linger();
  void log_break(bool was_idle);
  void show(ConnState state);
  void count_active(bool is_active);
  void count_octets();

  async::Soon<Next> next_head();
  Task<Next> flush_and_read_head();
  Next begin_to_wait();
  Next read_head();
  TimePoint idle_deadline() const;
  TimePoint head_deadline() const;
  Next give_up_reading(std::error_code error, bool has_nothing);
  Parsed parse_head();
  Result<void> accept_head();
  Result<void> apply_rules();
  void configure_as_server();
  void apply(const RequestConfig& config);

  async::Soon<bool> prepare_body();
  Task<bool> receive_body();
  Result<Bytes> take_body();
  TimePoint body_deadline() const;
  TimePoint whole_read_deadline() const { return own_read_deadline_ != kNever ? own_read_deadline_ : read_deadline_; }
  void send_continue();
  std::optional<int> answer_to_expectation();
  Task<> drop_body();
  std::error_code body_error();

  async::Soon<> call_handler();
  void refresh_now();
  Task<> await_handler(Task<> handler);
  bool must_answer_late() const;
  void answer_late();
  void answer_with(const LateAnswer& answer);
  void conclude_handler();
  bool is_special() const;
  bool must_end() const;
  void take_what_is_behind();
  void part_with_handler();
  void refuse_thrown(const std::string& what);
  void input_ended() override;
  void output_broke() override;

  async::Soon<> finish();
  Task<> send_large_body();
  Task<> finish_slowly();
  Result<void> end_stream();
  void cut_short();
  Errc loss() const;
  Task<> flush_within_own_limits();
  void write_response(Exchange& exchange, bool with_body);
  bool is_usual(const Exchange& exchange) const;
  void write_usual_response(const Exchange& exchange, bool with_body);
  http::FieldValue content_type(const ResponseParts& response, http::KnownLength length) const;
  Result<http::BodyLength> try_write_response(const Exchange& exchange, bool with_body);
  http::ResponseHeadParts response_head(const Exchange& exchange, http::KnownLength length) const;
  void make_special(http::ResponseHeadParts& parts, const Exchange& exchange) const;
  Result<void> begin_stream();
  async::Soon<> conclude_exchange();
  Task<> let_others_run();
  Task<> hand_over();

  void refuse(Errc error);
  void refuse_with(int status, std::string_view message, Errc error);
  bool is_lost() const { return is_connection_lost_ || out_.is_broken(); }
  bool keeps_alive() const { return keeps_alive_ && !is_lost(); }
  const ServerOptions& options() const;
  TimePoint now() const;

  Worker& worker_;
  Guest* guest_ = nullptr;
  net::Connection* connection_ = nullptr;
  std::unique_ptr<Exchange> exchange_;
  Outbox out_;
  ReadAhead ahead_;  // what arrived behind a head while its body was received, or while its handler was at work
  async::Event attention_;
  HandlerDeadline handler_deadline_;

  TimePoint old_at_{};                    // from when on it is too old for another request
  TimePoint began_at_{};                  // the request that is being read: its first octet
  TimePoint read_deadline_ = kNever;      // of the whole request
  TimePoint own_read_deadline_ = kNever;  // that the handler has set

  // Of the body that is being received.
  Duration body_waited_{};
  std::uint64_t body_received_ = 0;
  bool is_body_complete_ = true;
  bool streams_body_ = false;
  bool owes_continue_ = false;
  bool has_own_write_limits_ = false;

  std::optional<http::BodyWriter> body_writer_;  // of a response that is being streamed
  bool ends_with_connection_ = false;            // its body
  bool is_stream_cut_ = false;                   // a stop has come while it was waited for
  std::uint64_t response_bytes_ = 0;             // of its body
  std::uint64_t counted_sent_ = 0;
  std::uint64_t counted_received_ = 0;

  State state_ = State::idle;
  bool keeps_alive_ = true;
  bool is_connection_lost_ = false;
  bool is_handler_late_ = false;
  bool is_cut_ = false;
  bool is_active_ = false;
  std::uint32_t exchanges_in_a_row_ = 0;  // since the session last let others run
  std::size_t bytes_in_a_row_ = 0;
};

}  // namespace pipette::server
