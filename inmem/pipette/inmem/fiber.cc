// A fiber is two sides, outside (whoever entered it: the loop, or a destructor) and inside (the function). Each
// switch goes from one side to the other and comes back later, so all that belongs to a side (stack pointer, the
// exceptions in flight, what the sanitizers know) is put away and taken out in one place, switch_sides().
//
// On x86-64 the switch is a dozen instructions. ucontext works everywhere else, but each of its switches is a system
// call, and AddressSanitizer warns of it and forgets what it knows of the stack. It is also what a shadow stack (CET)
// needs. -DPIPETTE_FIBER_UCONTEXT asks for it, so that it can be tested.
#include "pipette/inmem/fiber.h"

#include <algorithm>
#include <cassert>
#include <coroutine>
#include <cstdint>
#include <cstdlib>
#include <cxxabi.h>
#include <exception>
#include <new>
#include <stdexcept>
#include <sys/mman.h>
#include <system_error>

#include "pipette/async/sleep.h"
#include "pipette/base/errc.h"
#include "pipette/inmem/inside.h"

#if !defined(PIPETTE_FIBER_UCONTEXT) && (!defined(__x86_64__) || defined(__ILP32__) || defined(__CET__))
#define PIPETTE_FIBER_UCONTEXT
#endif
#ifdef PIPETTE_FIBER_UCONTEXT
#include <ucontext.h>
#endif

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define PIPETTE_FIBER_ASAN
#endif
#if __has_feature(thread_sanitizer)
#define PIPETTE_FIBER_TSAN
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) && !defined(PIPETTE_FIBER_ASAN)
#define PIPETTE_FIBER_ASAN
#endif
#if defined(__SANITIZE_THREAD__) && !defined(PIPETTE_FIBER_TSAN)
#define PIPETTE_FIBER_TSAN
#endif
#ifdef PIPETTE_FIBER_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef PIPETTE_FIBER_TSAN
#include <sanitizer/tsan_interface.h>
#endif

#ifndef PIPETTE_FIBER_UCONTEXT
extern "C" {
// Puts what the ABI preserves on this stack, leaves its pointer at `from`, and goes on where `to` was left.
void pipette_switch_stack(void** from, void* to);
// What a new stack goes on with: calls r13(r12), which never returns.
void pipette_enter_stack();
}
asm(R"(
  .pushsection .text
  .p2align 4
  .globl pipette_switch_stack
  .hidden pipette_switch_stack
  .type pipette_switch_stack, @function
pipette_switch_stack:
  pushq %rbp
  pushq %rbx
  pushq %r15
  pushq %r14
  pushq %r13
  pushq %r12
  subq $8, %rsp
  stmxcsr (%rsp)
  fnstcw 4(%rsp)
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  ldmxcsr (%rsp)
  fldcw 4(%rsp)
  addq $8, %rsp
  popq %r12
  popq %r13
  popq %r14
  popq %r15
  popq %rbx
  popq %rbp
  ret
  .size pipette_switch_stack, . - pipette_switch_stack

  .p2align 4
  .globl pipette_enter_stack
  .hidden pipette_enter_stack
  .type pipette_enter_stack, @function
pipette_enter_stack:
  .cfi_startproc
  .cfi_undefined rip
  movq %r12, %rdi
  callq *%r13
  ud2
  .cfi_endproc
  .size pipette_enter_stack, . - pipette_enter_stack
  .popsection
)");
#endif

namespace pipette::inmem {
namespace {

constexpr std::size_t kGuardBytes = 64 * 1024;  // more than a page: few frames are large enough to step over it
constexpr std::size_t kMaxStackBytes = std::size_t{1} << 30U;

// ---- Contexts: where a side was left -----------------------------------------------------------------------

using Entry = void (*)(void*);

#ifdef PIPETTE_FIBER_UCONTEXT

using Context = ucontext_t;

// makecontext() passes ints: a pointer takes two.
void* join(unsigned high, unsigned low) {
  return reinterpret_cast<void*>(static_cast<std::uintptr_t>(std::uint64_t{high} << 32U | low));  // NOLINT
}
void enter_context(unsigned entry_high, unsigned entry_low, unsigned high, unsigned low) {
  reinterpret_cast<Entry>(join(entry_high, entry_low))(join(high, low));  // NOLINT: made from one below
}

void prepare(Context& context, std::byte* stack, std::size_t size, Entry entry, void* argument) {
  getcontext(&context);
  context.uc_stack.ss_sp = stack;
  context.uc_stack.ss_size = size;
  context.uc_link = nullptr;
  const auto entry_bits = std::uint64_t{reinterpret_cast<std::uintptr_t>(entry)};  // NOLINT
  const auto bits = std::uint64_t{reinterpret_cast<std::uintptr_t>(argument)};     // NOLINT
  makecontext(&context, reinterpret_cast<void (*)()>(enter_context), 4, static_cast<unsigned>(entry_bits >> 32U),
              static_cast<unsigned>(entry_bits), static_cast<unsigned>(bits >> 32U), static_cast<unsigned>(bits));
}

void switch_context(Context& from, Context& to) { swapcontext(&from, &to); }

#else

using Context = void*;  // the stack pointer

void prepare(Context& context, std::byte* stack, std::size_t size, Entry entry, void* argument) {
  // As pipette_switch_stack() leaves a stack: a null return address ends backtraces.
  struct Frame {
    std::uint32_t mxcsr = 0x1f80;  // as a process starts with
    std::uint32_t x87_control = 0x037f;
    void* r12;
    Entry r13;
    void* r14 = nullptr;
    void* r15 = nullptr;
    void* rbx = nullptr;
    void* rbp = nullptr;
    void (*return_address)() = pipette_enter_stack;
    void* end[2] = {};
  };
  static_assert(sizeof(Frame) == 80);  // leaves the stack at a multiple of 16, as calls must find it
  context = new (stack + size - sizeof(Frame)) Frame{.r12 = argument, .r13 = entry};
}

void switch_context(Context& from, Context& to) { pipette_switch_stack(&from, to); }

#endif

// ---- Sides -------------------------------------------------------------------------------------------------

// The exceptions in flight and being handled, which the C++ ABI keeps for each thread, and we for each stack.
struct Exceptions {
  void* caught = nullptr;
  unsigned uncaught = 0;
};
Exceptions& exceptions_of_thread() { return *static_cast<Exceptions*>(static_cast<void*>(abi::__cxa_get_globals())); }

struct Side {
  Context context{};
  Exceptions exceptions;
  const void* stack = nullptr;
  std::size_t stack_size = 0;
  void* fake_stack = nullptr;  // AddressSanitizer's, for variables whose frames have ended
  void* tsan_fiber = nullptr;
};

// The first thing on the side that was switched to.
void arrive([[maybe_unused]] Side& here, [[maybe_unused]] Side& there) {
#ifdef PIPETTE_FIBER_ASAN
  __sanitizer_finish_switch_fiber(here.fake_stack, &there.stack, &there.stack_size);
#endif
  exceptions_of_thread() = here.exceptions;
}

enum class Leaving { for_now, for_good };

void switch_sides(Side& here, Side& there, [[maybe_unused]] Leaving leaving) {
  here.exceptions = exceptions_of_thread();
#ifdef PIPETTE_FIBER_ASAN
  __sanitizer_start_switch_fiber(leaving == Leaving::for_now ? &here.fake_stack : nullptr, there.stack,
                                 there.stack_size);
#endif
#ifdef PIPETTE_FIBER_TSAN
  here.tsan_fiber = __tsan_get_current_fiber();
  __tsan_switch_to_fiber(there.tsan_fiber, 0);
#endif
  switch_context(here.context, there.context);
  arrive(here, there);
}

std::system_error too_many(const char* remedy) { return {Errc::too_many_blocking, remedy}; }

}  // namespace

// ---- Fiber: one function, and the context it is given ------------------------------------------------------

class Fibers::Fiber final : public async::BlockingCtx, public async::Runnable {
 public:
  Fiber(Fibers& owner, Function function, async::StopToken stop, TimePoint deadline)
      : owner_(owner), function_(std::move(function)), stop_(stop), deadline_(deadline), stack_(owner.take_stack()) {
    inside_.stack = stack_;
    inside_.stack_size = owner_.options_.stack_bytes;
#ifdef PIPETTE_FIBER_TSAN
    inside_.tsan_fiber = __tsan_create_fiber(0);
#endif
    prepare(inside_.context, stack_, inside_.stack_size, &Fiber::begin, this);
  }
  ~Fiber() {
    assert(state_ != State::running && "a blocking function destroys the Task that runs it");
    waited_ = {};
    canceled_ = true;
    if (state_ == State::suspended) enter();
#ifdef PIPETTE_FIBER_TSAN
    __tsan_destroy_fiber(inside_.tsan_fiber);
#endif
    owner_.give_back(stack_);
  }

  // To await a fiber is to start it, from the loop, and to go on when its function has ended.
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> awaiter) {
    awaiter_ = awaiter;
    owner_.loop_.enqueue(*this);
  }
  void await_resume() const {
    if (thrown_) std::rethrow_exception(thrown_);
  }

  TimePoint now() const override { return owner_.loop_.now(); }
  TimePoint deadline() const override { return deadline_; }
  async::StopToken stop_token() const override { return stop_; }
  async::StopReason stop_reason() const override {
    if (canceled_) return async::StopReason::canceled;
    if (stop_.stop_requested()) return stop_.reason();
    return deadline_ <= now() ? async::StopReason::handler_timeout : async::StopReason::none;
  }
  async::StopReason sleep_until(TimePoint wake) override {
    auto reason = async::StopReason::none;
    if (suspend_for(sleep(wake, reason))) return reason;
    return refuse_sleep();
  }

 protected:
  void run_to_end(Task<> task) override {
    if (!suspend_for(std::move(task))) refuse_wait();
    if (waited_threw_) std::rethrow_exception(std::exchange(waited_threw_, nullptr));
  }

 private:
  enum class State { unstarted, suspended, running, ended };

  // From the loop: goes on with the function, and then with what that waits for, or with the awaiter.
  void run() override {
    enter();
    if (state_ == State::ended) return awaiter_.resume();
    waited_.start();
  }

  void enter() {
    const InsideWorld inside;
    state_ = State::running;
    switch_sides(outside_, inside_, Leaving::for_now);
  }

  static void begin(void* self) {
    Fiber& fiber = *static_cast<Fiber*>(self);
    arrive(fiber.inside_, fiber.outside_);
    fiber.call_function();
    fiber.state_ = State::ended;
    switch_sides(fiber.inside_, fiber.outside_, Leaving::for_good);
    std::abort();  // nobody enters an ended fiber
  }
  void call_function() {
    try {
      function_(*this);
    } catch (...) {
      thrown_ = std::current_exception();
    }
  }

  // Whether `task` has ended; false: the function was canceled, before or meanwhile.
  bool suspend_for(Task<> task) {
    assert(is_inside() && "a BlockingCtx is used outside its function");
    if (canceled_) return false;
    waited_ = run_and_wake(std::move(task));
    state_ = State::suspended;
    switch_sides(inside_, outside_, Leaving::for_now);
    waited_ = {};
    return !canceled_;
  }
  Task<> run_and_wake(Task<> task) {
    try {
      co_await task;
    } catch (...) {
      waited_threw_ = std::current_exception();
    }
    owner_.loop_.enqueue(*this);
  }
  Task<> sleep(TimePoint wake, async::StopReason& reason) {
    reason = co_await async::sleep_until(owner_.loop_, std::min(wake, deadline_), stop_);
    if (reason == async::StopReason::none && deadline_ < wake) reason = async::StopReason::handler_timeout;
  }

  bool is_inside() const {
    const auto* here = static_cast<const std::byte*>(__builtin_frame_address(0));
    return here >= stack_ && here < stack_ + inside_.stack_size;
  }

  Fibers& owner_;
  Function function_;
  async::StopToken stop_;
  TimePoint deadline_;
  std::byte* stack_;
  Side outside_;
  Side inside_;
  State state_ = State::unstarted;
  bool canceled_ = false;
  Task<> waited_;
  std::exception_ptr waited_threw_;
  std::exception_ptr thrown_;
  std::coroutine_handle<> awaiter_;
};

// ---- Fibers ------------------------------------------------------------------------------------------------

Fibers::Fibers(async::Loop& loop, FiberOptions options) : loop_(loop), options_(options) {
  if (options_.stack_bytes > kMaxStackBytes) throw std::invalid_argument("FiberOptions::stack_bytes: at most 1 GiB");
  constexpr std::size_t kUnit = kGuardBytes;  // a multiple of every page size
  options_.stack_bytes = std::max(kUnit, (options_.stack_bytes + kUnit - 1) / kUnit * kUnit);
}

Fibers::~Fibers() {
  assert(size_ == 0 && "Fibers die before their tasks");
  for (std::byte* stack : free_stacks_) munmap(stack - kGuardBytes, kGuardBytes + options_.stack_bytes);
}

Task<> Fibers::run(Function function, async::StopToken stop, TimePoint deadline) {
  Fiber fiber(*this, std::move(function), stop, deadline);
  co_await fiber;
}

std::byte* Fibers::take_stack() {
  if (size_ >= options_.max_fibers) throw too_many("raise FiberOptions::max_fibers, or run fewer");
  ++size_;
  if (!free_stacks_.empty()) {
    std::byte* stack = free_stacks_.back();
    free_stacks_.pop_back();
    return stack;
  }
  void* memory = mmap(nullptr, kGuardBytes + options_.stack_bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED || mprotect(memory, kGuardBytes, PROT_NONE) != 0) {  // NOLINT: the system's macro
    if (memory != MAP_FAILED) munmap(memory, kGuardBytes + options_.stack_bytes);
    --size_;
    throw too_many("no room for a stack: run fewer at once, or lower FiberOptions::stack_bytes");
  }
  return static_cast<std::byte*>(memory) + kGuardBytes;
}

void Fibers::give_back(std::byte* stack) {
  --size_;
#ifdef PIPETTE_FIBER_ASAN
  // What the last switch left poisoned: the frames that never returned.
  constexpr std::size_t kLastFrames = 8 * 1024;
  __asan_unpoison_memory_region(stack + options_.stack_bytes - kLastFrames, kLastFrames);
#endif
  if (free_stacks_.size() < options_.kept_stacks) {
    free_stacks_.push_back(stack);
  } else {
    munmap(stack - kGuardBytes, kGuardBytes + options_.stack_bytes);
  }
}

Task<> run_on_fiber(async::Loop& loop, async::Blocking::Function function) {
  Fibers fibers(loop, {.kept_stacks = 0});
  Task<> task = fibers.run(std::move(function), {}, kNever);
  co_await task;
}

}  // namespace pipette::inmem
