// PipelineConnection: requests back to back on one connection, and their responses in order. Internal to client/.
//
//   add() ──> [ unsent octets ] ── one write a turn ──> server
//     └────> [ slots: one a request that is not answered ] <── responses, matched in order ── one reader
//
// It is opened by the first call, and again by the next one after it has ended. A call that leaves early leaves its
// slot, whose response is dropped; if no octet of its request has gone out, none will.
//
//   ends when                        calls whose requests went out   those of which no octet went out
//   the server says close            unanswered                      unsent
//   it breaks, or is late            fail                            unsent
//   it is not opened; close()        -                               fail
//
// No coroutine but that of the dial: who reads and who writes are runnables of the loop. Calls are resumed by the loop,
// so that nothing here is entered again from inside.
//
// Errors    Errc::unexpected_response for octets that answer nothing; response_header_timeout of the oldest call,
//           counted from when it became that; body_timeout, write_timeout, end_of_stream …
// Lifetime  outlives its calls; shared, limits and origin outlive it.   Threads  the loop's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <system_error>
#include <vector>

#include "pipette/async/loop.h"
#include "pipette/async/task.h"
#include "pipette/async/timer.h"
#include "pipette/base/buffer.h"
#include "pipette/base/result.h"
#include "pipette/client/pipeline_options.h"
#include "pipette/client/pipelined_call.h"
#include "pipette/client/request.h"
#include "pipette/client/request_writer.h"
#include "pipette/client/response.h"
#include "pipette/client/response_reader.h"
#include "pipette/client/shared.h"
#include "pipette/client/terms.h"
#include "pipette/client/way.h"
#include "pipette/http/method.h"
#include "pipette/http/uri.h"
#include "pipette/net/connection.h"

namespace pipette::client {

class PipelineConnection {
 public:
  PipelineConnection(Shared& shared, const PipelineLimits& limits, const http::HttpUrl& origin);
  PipelineConnection(const PipelineConnection&) = delete;
  PipelineConnection& operator=(const PipelineConnection&) = delete;

  bool is_open() const { return state_ == State::open; }
  bool is_closed() const { return state_ == State::closed; }
  // Has answered somebody.
  bool is_reused() const { return is_reused_; }
  bool is_full();
  // Responses that are waited for.
  std::size_t pending() const { return slots_.size(); }
  // Idles, and should have been closed by now.
  bool is_too_old() const;

  // Writes the request of `call`, which waits for its response from now on. After an error it does not.
  Result<void> add(PipelinedCall& call, const http::HttpUrl& url, const Request& request, const Terms& terms);
  // The call of that number has left.
  void abandon(std::uint64_t number);
  // Its calls fail with operation_canceled.
  void close();

 private:
  enum class State : std::uint8_t { closed, wanted, dialing, open };
  enum class Why : std::uint8_t { announced, broken, given_up };

  struct Slot {
    PipelinedCall* call;  // null: it has left
    std::uint64_t end;    // of its request, in octets of the connection
    std::uint64_t max_body_bytes;
    http::Method method;
  };

  // First in, first out, in memory that is kept.
  class Slots {
   public:
    std::size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }
    Slot& operator[](std::size_t index) { return ring_[(first_ + index) & (ring_.size() - 1)]; }
    Slot& front() { return (*this)[0]; }
    void push(const Slot& slot) {
      if (size_ == ring_.size()) grow();
      (*this)[size_++] = slot;
    }
    void pop() {
      first_ = (first_ + 1) & (ring_.size() - 1);
      --size_;
    }
    void truncate(std::size_t size) { size_ = size; }

   private:
    void grow();

    std::vector<Slot> ring_;  // a power of two
    std::size_t first_ = 0;
    std::size_t size_ = 0;
  };

  template <void (PipelineConnection::*kStep)()>
  struct Does final : async::Runnable {
    explicit Does(PipelineConnection& owner) : connection(owner) {}
    void run() override { (connection.*kStep)(); }
    PipelineConnection& connection;
  };
  struct BatchTimer final : async::Timer {
    explicit BatchTimer(PipelineConnection& owner) : connection(owner) {}
    void run() override { connection.flush(); }
    PipelineConnection& connection;
  };

  async::Loop& loop() const { return shared_.runtime.loop(); }
  bool is_in_body() const { return is_reading_ && reader_.has_head(); }

  void schedule();
  void take_turn();
  Task<> dial();
  void flush();
  void forget_abandoned();
  void give_up_writing(std::error_code error);

  void read();
  Result<std::size_t> read_some();
  bool take_responses();
  Result<bool> take_response(Slot& slot);
  Result<bool> drop_body();
  void finish_response();
  void reach_end();
  void fail_to_read(std::error_code error);
  void limit_reading();

  void end(std::error_code error, Why why);
  void reset();

  Shared& shared_;
  const PipelineLimits& limits_;
  const http::HttpUrl& origin_;
  const Terms dialing_terms_;
  Addresses addresses_;  // none: where the origin is
  std::unique_ptr<net::Connection> stream_;
  State state_ = State::closed;
  TimePoint opened_at_{};

  Buffer out_;
  std::uint64_t sent_ = 0;  // octets that the network has taken; those of out_ come behind them
  RequestWriter writer_;
  bool is_blocked_ = false;     // the network takes no more for now
  bool has_abandoned_ = false;  // some slot has no call any more

  Slots slots_;
  std::uint64_t first_number_ = 0;  // of the first slot
  std::uint64_t first_begin_ = 0;   // where its request begins
  std::uint64_t timed_ = 0;         // 1 + the number of the last one whose head was given its time

  Buffer in_;
  std::size_t read_bytes_;
  ResponseReader reader_;
  bool is_reading_ = false;  // the response of the first slot, which may be still to come
  bool is_reused_ = false;
  Response dropped_;

  Does<&PipelineConnection::take_turn> turn_;
  Does<&PipelineConnection::flush> on_writable_;
  Does<&PipelineConnection::read> on_readable_;
  BatchTimer batch_;
  Task<> dialing_;
};

}  // namespace pipette::client
