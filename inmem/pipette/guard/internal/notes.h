// Notes: the calls that were seen, as bare addresses. Noting allocates nothing and looks up no symbol, since the call
// may come from inside an allocator; names.h makes sentences of them later.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "pipette/guard/guard.h"

namespace pipette::guard::internal {

inline constexpr std::size_t kMaxFrames = 32;

// Return addresses, innermost first.
struct Stack {
  std::array<std::uintptr_t, kMaxFrames> frames{};
  std::size_t depth = 0;

  bool operator==(const Stack&) const = default;
};

struct Note {
  Kind kind = Kind::clock;
  const char* function = "";
  Stack stack;
  std::size_t times = 0;
};

// Around the real call. Counts it, and notes it when it is made inside a world; what the C and C++ libraries call to do
// their part belongs to it, and is not noted again. `from` is where the call returns to.
class Call {
 public:
  Call(Kind kind, const char* function, const void* from) noexcept : Call(true, kind, function, from) {}
  // Nothing, unless it is `worth_noting`.
  Call(bool worth_noting, Kind kind, const char* function, const void* from) noexcept;
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  ~Call();
};

std::vector<Note> notes();  // in the order of their first calls

}  // namespace pipette::guard::internal
