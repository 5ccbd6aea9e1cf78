// Each function has a Call, the loop's side, which lives and dies with the Task of run(), and a Job, which both sides
// share and the later one leaves last. A thread ends a job with a post that holds it, so that the function dies on the
// loop's side even when its Call has long gone.
//
// What a thread waits for touches its stack, so a canceled wait is over only when the task has died, which is the
// loop's affair; then the stack unwinds. Nothing that belongs to the loop is touched under a lock.
#include "pipette/tcp/thread_pool.h"

#include <algorithm>
#include <cassert>
#include <condition_variable>
#include <coroutine>
#include <exception>
#include <system_error>
#include <utility>

#include "pipette/base/errc.h"
#include "pipette/tcp/internal/loop.h"

namespace pipette::tcp {
namespace {

using async::StopReason;
using Lock = std::unique_lock<std::mutex>;

// Waits until `happened`, or until the time; returns whether it happened.
template <class Predicate>
bool wait_until(std::condition_variable& changed, Lock& lock, TimePoint time, Predicate happened) {
  if (time == kNever) {
    changed.wait(lock, happened);
    return true;
  }
  const Duration since_boot = std::max(time, TimePoint()).time_since_epoch();
  return changed.wait_until(lock, std::chrono::time_point<std::chrono::steady_clock, Duration>(since_boot), happened);
}

}  // namespace

// ---- Job: one function, and the context it is given --------------------------------------------------------

class ThreadPool::Job final : public async::BlockingCtx {
 public:
  Job(async::Loop& loop, Call& call, Function function, async::StopToken stop, TimePoint deadline)
      : loop_(loop),
        call_(&call),
        function_(std::move(function)),
        token_(stop),
        deadline_(deadline),
        wake_(*this),
        stop_(stop.reason()) {}

  // ---- The loop's side.

  void stop(StopReason reason) {
    const std::lock_guard lock(mutex_);
    stop_ = reason;
    changed_.notify_all();
  }

  // True: the function had not begun, and never will.
  bool cancel() {
    Lock lock(mutex_);
    if (is_canceled_ || state_ == State::ended) return false;
    is_canceled_ = true;
    if (state_ == State::unstarted) return true;
    Task<> waited = std::move(waited_);
    lock.unlock();
    waited = {};
    lock.lock();
    is_wait_over_ = true;
    changed_.notify_all();
    changed_.wait(lock, [this] { return state_ == State::ended; });
    return false;
  }

  void leave_call() { call_ = nullptr; }
  void tell_call();
  void rethrow() const {
    if (thrown_) std::rethrow_exception(thrown_);
  }

  // ---- The thread's side.

  void run() {
    if (begin()) {
      try {
        function_(*this);
      } catch (...) {
        thrown_ = std::current_exception();
      }
    }
    const std::lock_guard lock(mutex_);
    state_ = State::ended;
    changed_.notify_all();
  }

  TimePoint now() const override { return read_clock(); }
  TimePoint deadline() const override { return deadline_; }
  async::StopToken stop_token() const override { return token_; }
  StopReason stop_reason() const override {
    const std::lock_guard lock(mutex_);
    if (is_canceled_) return StopReason::canceled;
    if (stop_ != StopReason::none) return stop_;
    return deadline_ <= now() ? StopReason::handler_timeout : StopReason::none;
  }
  StopReason sleep_until(TimePoint wake) override {
    Lock lock(mutex_);
    block(lock, std::min(wake, deadline_), [this] { return is_canceled_ || stop_ != StopReason::none; });
    if (is_canceled_) {
      lock.unlock();
      return refuse_sleep();
    }
    if (stop_ != StopReason::none) return stop_;
    return deadline_ < wake ? StopReason::handler_timeout : StopReason::none;
  }

 protected:
  void run_to_end(Task<> task) override {
    Lock lock(mutex_);
    if (!is_canceled_) {
      is_wait_over_ = false;
      waited_ = run_and_wake(std::move(task));
      loop_.post([this] { start_waited(); });  // the job is still there: posts run in order, and its last one holds it
      block(lock, kNever, [this] { return is_wait_over_; });
    }
    const bool is_canceled = is_canceled_;
    const std::exception_ptr thrown = std::exchange(waited_threw_, nullptr);
    lock.unlock();
    if (is_canceled) refuse_wait();
    if (thrown) std::rethrow_exception(thrown);
  }

 private:
  enum class State { unstarted, computing, blocked, ended };

  // What goes on when the task that is waited for has ended: not inside it, since its frame must die first.
  struct Wake final : async::Runnable {
    explicit Wake(Job& owner) : job(owner) {}
    void run() override { job.end_wait(); }
    Job& job;
  };

  bool begin() {
    const std::lock_guard lock(mutex_);
    if (is_canceled_) return false;
    state_ = State::computing;
    thread_ = std::this_thread::get_id();
    return true;
  }
  template <class Predicate>
  void block(Lock& lock, TimePoint time, Predicate happened) {
    assert(thread_ == std::this_thread::get_id() && "a BlockingCtx is used outside its function");
    state_ = State::blocked;
    wait_until(changed_, lock, time, happened);
    state_ = State::computing;
  }

  // On the loop's side, as all that a task does.
  void start_waited() {
    if (is_alive()) waited_.start();
  }
  bool is_alive() const {
    const std::lock_guard lock(mutex_);
    return !is_canceled_;
  }
  Task<> run_and_wake(Task<> task) {
    try {
      co_await task;
    } catch (...) {
      waited_threw_ = std::current_exception();
    }
    loop_.enqueue(wake_);
  }
  void end_wait() {
    waited_ = {};
    const std::lock_guard lock(mutex_);
    is_wait_over_ = true;
    changed_.notify_all();
  }

  async::Loop& loop_;
  Call* call_;  // of the loop's side; null: the Task has died
  Function function_;
  const async::StopToken token_;
  const TimePoint deadline_;
  std::exception_ptr thrown_;

  // What the thread waits for. Whoever is to go on owns them: the thread until its post, then the loop.
  Task<> waited_;
  std::exception_ptr waited_threw_;
  Wake wake_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  State state_ = State::unstarted;
  StopReason stop_;
  bool is_canceled_ = false;
  bool is_wait_over_ = false;
  std::thread::id thread_;
};

// ---- Call: who awaits a function ---------------------------------------------------------------------------

class ThreadPool::Call final : public async::Runnable {
 public:
  Call(ThreadPool& pool, Function function, async::StopToken stop, TimePoint deadline)
      : pool_(pool),
        job_(std::make_shared<Job>(pool.loop_, *this, std::move(function), stop, deadline)),
        stop_waiter_(*job_, stop) {
    pool_.submit(job_);
    stop.add(stop_waiter_);
  }
  ~Call() {
    job_->leave_call();
    if (job_->cancel()) pool_.forget(job_);
  }

  // To await a call is to go on when its function has ended.
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> awaiter) {
    awaiter_ = awaiter;
    pool_.loop_.keep_lane(*this);
  }
  void await_resume() const { job_->rethrow(); }
  void run() override { awaiter_.resume(); }

 private:
  struct StopWaiter final : async::Runnable {
    StopWaiter(Job& told, async::StopToken by) : job(told), token(by) {}
    void run() override { job.stop(token.reason()); }
    Job& job;
    async::StopToken token;
  };

  ThreadPool& pool_;
  std::shared_ptr<Job> job_;
  StopWaiter stop_waiter_;
  std::coroutine_handle<> awaiter_;
};

void ThreadPool::Job::tell_call() {
  if (call_ != nullptr && is_alive()) loop_.enqueue(*call_);
}

// ---- ThreadPool --------------------------------------------------------------------------------------------

struct ThreadPool::Thread {
  std::thread handle;
  std::condition_variable wake;
  std::shared_ptr<Job> job;  // what it runs, or is to run
};

ThreadPool::ThreadPool(async::Loop& loop, ThreadPoolOptions options) : loop_(loop), options_(options) {}

ThreadPool::~ThreadPool() {
  std::vector<std::shared_ptr<Job>> jobs;
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
    for (std::shared_ptr<Job>& job : queue_) jobs.push_back(std::move(job));
    queue_.clear();
    for (const std::unique_ptr<Thread>& thread : threads_) {
      if (thread->job) jobs.push_back(thread->job);
      thread->wake.notify_one();
    }
  }
  for (const std::shared_ptr<Job>& job : jobs) job->cancel();
  for (const std::unique_ptr<Thread>& thread : threads_) thread->handle.join();  // nobody retires any more
  if (retired_.joinable()) retired_.join();
}

Task<> ThreadPool::run(Function function, async::StopToken stop, TimePoint deadline) {
  Call call(*this, std::move(function), stop, deadline);
  co_await call;
}

std::size_t ThreadPool::threads() const {
  const std::lock_guard lock(mutex_);
  return threads_.size();
}

std::size_t ThreadPool::queued() const {
  const std::lock_guard lock(mutex_);
  return queue_.size();
}

void ThreadPool::submit(const std::shared_ptr<Job>& job) {
  const std::lock_guard lock(mutex_);
  if (!idle_.empty()) {
    Thread& last = *idle_.back();
    idle_.pop_back();
    last.job = job;
    last.wake.notify_one();
    return;
  }
  if (threads_.size() < std::max<std::size_t>(1, options_.max_threads) && add_thread(job)) return;
  if (threads_.empty()) throw std::system_error(Errc::too_many_blocking, "the system has no thread left");
  if (queue_.size() >= options_.max_queued) {
    throw std::system_error(Errc::too_many_blocking, "raise ThreadPoolOptions::max_queued, or run fewer");
  }
  queue_.push_back(job);
}

void ThreadPool::forget(const std::shared_ptr<Job>& job) {
  const std::lock_guard lock(mutex_);
  std::erase(queue_, job);
}

// False: the system has none left.
bool ThreadPool::add_thread(const std::shared_ptr<Job>& first) {
  Thread& added = *threads_.emplace_back(std::make_unique<Thread>());
  added.job = first;
  try {
    added.handle = std::thread([this, &added] { work(added); });
    return true;
  } catch (const std::system_error&) {
    threads_.pop_back();
    return false;
  }
}

void ThreadPool::work(Thread& self) {
  while (std::shared_ptr<Job> job = next_job(self)) {
    job->run();
    stand_by(self);
    loop_.post([last = std::move(job)] { last->tell_call(); });
  }
}

// Null: the thread is to end, and `self` may be gone.
std::shared_ptr<ThreadPool::Job> ThreadPool::next_job(Thread& self) {
  Lock lock(mutex_);
  const TimePoint too_long = after(read_clock(), options_.max_idle);
  if (!wait_until(self.wake, lock, too_long, [&] { return self.job || is_stopping_; })) {
    retire(self, lock);
    return nullptr;
  }
  return self.job;
}

// Before anybody can know that its function has ended: who then wants a thread finds this one.
void ThreadPool::stand_by(Thread& self) {
  const std::lock_guard lock(mutex_);
  self.job = nullptr;
  if (queue_.empty()) {
    idle_.push_back(&self);
  } else {
    self.job = std::move(queue_.front());
    queue_.pop_front();
  }
}

// Each thread that retires joins the one before, so that at most one is left to be joined.
void ThreadPool::retire(Thread& self, Lock& lock) {
  std::erase(idle_, &self);
  std::thread before = std::exchange(retired_, std::move(self.handle));
  std::erase_if(threads_, [&self](const std::unique_ptr<Thread>& thread) { return thread.get() == &self; });
  lock.unlock();
  if (before.joinable()) before.join();
}

}  // namespace pipette::tcp
