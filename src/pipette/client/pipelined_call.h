// PipelinedCall: one call of a pipeline as it waits for its response, and until when. Internal to client/.
//
//   connection.add(call, …)  ──>  co_await call  ──>  it has ended: result(), and whether it may be made again
//
// All calls with the usual time-out stand in one list, in order of their deadlines, behind one timer (CallDeadlines);
// only the others have timers of their own.
//
// Lifetime  lives in the frame of its call, which connection and deadlines outlive. A call that dies, or is late,
//           leaves its connection; the response is dropped there when it comes.   Threads  the loop's.
#pragma once

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <system_error>

#include "pipette/async/loop.h"
#include "pipette/async/timer.h"
#include "pipette/base/list.h"
#include "pipette/base/result.h"
#include "pipette/base/time.h"
#include "pipette/client/response.h"

namespace pipette::client {

class CallDeadlines;
class PipelineConnection;

class PipelinedCall final : public async::Timer {
 public:
  // What has become of the request of a call that failed.
  enum class Fate : std::uint8_t {
    unknown,     // it may have been done
    unsent,      // no octet of it went out
    unanswered,  // the server has said that it answers no more (RFC 9112 §9.6)
  };

  PipelinedCall(async::Loop& loop, CallDeadlines& deadlines, Response& response, TimePoint deadline)
      : loop_(loop), deadlines_(deadlines), response_(response), until_(deadline) {}
  ~PipelinedCall() { leave(); }

  Response& response() { return response_; }
  TimePoint until() const { return until_; }
  Result<void> result() const { return error_ ? Result<void>(fail(error_)) : Result<void>(); }
  Fate fate() const { return fate_; }

  // ---- of its connection: which number it has there, and how it ends
  void begin(PipelineConnection& connection, std::uint64_t number) {
    connection_ = &connection;
    number_ = number;
  }
  void renumber(std::uint64_t number) { number_ = number; }
  void end(std::error_code error, Fate fate);

  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> waiter);
  void await_resume() const {}
  // It has ended; or it is time.
  void run() override;

 private:
  void leave();

  async::Loop& loop_;
  CallDeadlines& deadlines_;
  Response& response_;
  TimePoint until_;
  PipelineConnection* connection_ = nullptr;  // where it waits
  std::uint64_t number_ = 0;
  std::error_code error_;
  Fate fate_ = Fate::unknown;
  std::coroutine_handle<> waiter_;
};

class CallDeadlines final : private async::Timer {
 public:
  CallDeadlines(async::Loop& loop, Duration usual) : loop_(loop), usual_(usual) {}

  void add(PipelinedCall& call);

 private:
  void run() override;
  bool is_wanted() const override { return !calls_.empty(); }

  async::Loop& loop_;
  Duration usual_;
  List<PipelinedCall> calls_;
};

}  // namespace pipette::client
