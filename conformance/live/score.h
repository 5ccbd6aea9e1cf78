// Scores a server: holds every case of servers against it, one after another, and says which it fails.
//
//   Score score = co_await score_server(runtime, address, cases, patience);
//
//   level    passed  failed
//   MUST        140       2          MUST, MUST NOT; then SHOULD, SHOULD NOT; then MAY and what only we ask for
//
// Lifetime  the runtime and the cases outlive the task.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "pipette/async/task.h"
#include "pipette/net/address.h"
#include "pipette/net/runtime.h"

#include "conformance/case_file.h"
#include "conformance/live/talk.h"

namespace pipette::conformance {

struct Marks {
  std::string_view level;
  std::size_t passed = 0;
  std::size_t failed = 0;
};

struct Score {
  std::array<Marks, 3> marks = {Marks{"MUST"}, Marks{"SHOULD"}, Marks{"MAY"}};
  bool is_reachable = true;  // else nothing has been scored
  std::string failures;      // a paragraph each: the case, what was sent, what came
  std::string table() const;
};

Task<Score> score_server(Runtime& runtime, net::Address address, const Cases& cases, Patience patience);

}  // namespace pipette::conformance
