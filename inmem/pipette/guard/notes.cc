// A table of fixed size under a lock that spins: nothing here may allocate, sleep or ask the C library for more than
// the stack. The lock is held for some comparisons, and never while a symbol is looked up.

#include "pipette/guard/internal/notes.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <unwind.h>

#include "pipette/guard/internal/names.h"
#include "pipette/inmem/inside.h"

namespace pipette::guard::internal {
namespace {

class SpinLock {
 public:
  void lock() {
    while (is_taken_.test_and_set(std::memory_order_acquire)) {
    }
  }
  void unlock() { is_taken_.clear(std::memory_order_release); }

 private:
  std::atomic_flag is_taken_;
};

struct Table {
  SpinLock lock;
  std::array<Note, kMaxLeaks> notes;
  std::size_t size = 0;
  std::size_t dropped = 0;
};

constinit Table table;
constinit std::atomic<int> sockets = 0;
constinit std::atomic<int> threads = 0;
constinit std::atomic<int> sleeps = 0;
// How many interposed calls this thread is in: the inner ones are the libraries' own.
constinit thread_local int calls_under_way = 0;

class Locked {
 public:
  Locked() { table.lock.lock(); }
  Locked(const Locked&) = delete;
  Locked& operator=(const Locked&) = delete;
  ~Locked() { table.lock.unlock(); }
};

struct Walk {
  std::uintptr_t from = 0;
  bool is_past_the_guard = false;
  Stack stack;
};

_Unwind_Reason_Code visit_frame(_Unwind_Context* context, void* argument) {
  Walk& walk = *static_cast<Walk*>(argument);
  const std::uintptr_t address = _Unwind_GetIP(context);
  if (address == walk.from) walk.is_past_the_guard = true;
  if (!walk.is_past_the_guard) return _URC_NO_REASON;
  if (address == 0 || walk.stack.depth == kMaxFrames) return _URC_END_OF_STACK;
  walk.stack.frames[walk.stack.depth++] = address;
  return _URC_NO_REASON;
}

// The stack from the interposed function's caller outwards.
Stack stack_from(std::uintptr_t from) {
  Walk walk{from, false, {}};
  _Unwind_Backtrace(&visit_frame, &walk);
  if (walk.stack.depth == 0) walk.stack.frames[walk.stack.depth++] = from;
  return walk.stack;
}

bool is_excepted(const Stack& stack) {
  for (std::size_t i = 0; i < stack.depth; ++i) {
    const Owner owner = owner_at(stack.frames[i] - 1);
    if (owner != Owner::library) return owner == Owner::crypto;
  }
  return false;
}

void note(Kind kind, const char* function, const Stack& stack) {
  const Locked locked;
  const auto end = table.notes.begin() + table.size;
  const auto known = std::find_if(table.notes.begin(), end,
                                  [&](const Note& old) { return old.function == function && old.stack == stack; });
  if (known != end) {
    ++known->times;
  } else if (table.size == kMaxLeaks) {
    ++table.dropped;
  } else {
    table.notes[table.size++] = Note{kind, function, stack, 1};
  }
}

bool must_abort() {
  const char* const wish = std::getenv("PIPETTE_GUARD");
  if (wish == nullptr || std::string_view(wish) == "record") return false;
  if (std::string_view(wish) == "abort") return true;
  std::fprintf(stderr, "PIPETTE_GUARD=%s is neither \"record\" nor \"abort\": say one of them, or unset it\n", wish);
  return true;
}

void count(Kind kind, std::string_view function) {
  if (kind == Kind::thread) ++threads;
  if (kind == Kind::sleep) ++sleeps;
  if (function == "socket" || function == "socketpair") ++sockets;
}

}  // namespace

Call::Call(bool worth_noting, Kind kind, const char* function, const void* from) noexcept {
  ++calls_under_way;
  if (!worth_noting) return;
  count(kind, function);
  if (calls_under_way > 1 || !inmem::is_inside_world()) return;
  const Stack stack = stack_from(reinterpret_cast<std::uintptr_t>(from));  // NOLINT: an address is what is wanted
  if (is_excepted(stack)) return;
  note(kind, function, stack);
  if (!must_abort()) return;
  for (const Leak& leak : leaks()) std::fprintf(stderr, "%s\n", to_string(leak).c_str());
  std::abort();
}

Call::~Call() { --calls_under_way; }

std::vector<Note> notes() {
  std::vector<Note> copies(kMaxLeaks);  // allocated before the lock is taken
  std::size_t size = 0;
  {
    const Locked locked;
    size = table.size;
    std::copy_n(table.notes.begin(), size, copies.begin());
  }
  copies.resize(size);
  return copies;
}

}  // namespace pipette::guard::internal

namespace pipette::guard {

std::size_t dropped() {
  const internal::Locked locked;
  return internal::table.dropped;
}

void clear() {
  const internal::Locked locked;
  internal::table.size = internal::table.dropped = 0;
}

Counts counts() { return {internal::sockets, internal::threads, internal::sleeps}; }
void forget_counts() { internal::sockets = internal::threads = internal::sleeps = 0; }

}  // namespace pipette::guard
