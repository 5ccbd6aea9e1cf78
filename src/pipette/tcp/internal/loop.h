// The real loop: async::Loop's run queue and timers, a Poller to wait for sockets, and what other threads post.
//
//   turn:  look at the sockets: until the next deadline, or without waiting when work is ready
//          --> read the clock --> run what was posted --> make due timers ready --> run what is ready
//
// Of each a bounded number a turn, so that none keeps the others from their turn. A look does no work of its own: it
// enqueues who waits for what has happened.
//
// Lifetime  outlives its sockets. What was posted and never ran dies with it.
// Threads   one, but for post() and request_stop().
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>

#include "pipette/async/loop.h"
#include "pipette/tcp/internal/poller.h"

namespace pipette::tcp {

class AsioThread;

// What the loop's clock shows, now. From any thread.
TimePoint read_clock();

class Loop final : public async::Loop {
 public:
  Loop();
  ~Loop() override;

  void refresh_now() override;
  void refresh_roughly() override;
  void post(Work work) override;
  void enqueue_later(async::Runnable& runnable) override { later_.push_back(runnable); }

  // After it has stood still: what it knows is old.
  void begin();
  // Waits until something happens, and lets it.
  void turn();
  // Whether what the poller has told is some milliseconds old at most.
  bool has_just_looked() const;

  void request_stop();
  bool stop_requested() const { return stop_requested_; }
  void clear_stop_request() { stop_requested_ = false; }

  Poller& poller() { return poller_; }
  // Starts with the first who asks for it; throws as its constructor does.
  AsioThread& asio();

 private:
  // How long there is nothing to do but wait for sockets.
  Duration leisure();
  // Whether nothing is posted; if so, the next post ends the look.
  bool may_sleep();
  void run_posted();
  Work take_posted();

  Poller poller_;
  List<async::Runnable> later_;  // ready, but behind what the poller tells next
  TimePoint wall_is_good_until_{};
  TimePoint looked_at_{};
  bool stop_requested_ = false;

  std::mutex posting_;
  std::deque<Work> posted_;
  // Who posts sets the one and then looks at the other; the loop does it the other way round. So one of them sees that
  // there is work, and as long as there is none, nobody needs the mutex.
  std::atomic<bool> has_posted_ = false;
  std::atomic<bool> is_asleep_ = false;

  std::unique_ptr<AsioThread> asio_;  // posts until it dies
};

}  // namespace pipette::tcp
