// Command: a program of somebody else's that calls us. It runs beside the loop, reads what the test says to it, and
// ends by itself.
//
//   Command curl(loopback, {"curl", "-s", url});
//   EXPECT_EQ(curl.wait(), 0);   EXPECT_EQ(curl.said(), "Hello");
//
// It is killed in the end, also when the test itself is.
//
// Errors    MissingProgram; std::system_error.
// Lifetime  the loopback outlives it.   Threads  that of the test.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

#include "tests/interop/loopback.h"

namespace pipette::interop {

class Command {
 public:
  Command(Loopback& loopback, std::vector<std::string> words);
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;
  ~Command();

  // To its standard input, which ends with finish().
  void say(std::string_view text);
  void finish();
  // What it has printed so far, on both its outputs.
  std::string said() const;
  // False: it has ended, or has not in all that time.
  bool wait_until_said(std::string_view text);
  // Finishes, and runs the loop until the program ends: its exit status. None: it does not end, or was killed.
  std::optional<int> wait();

 private:
  bool is_running();

  Loopback& loopback_;
  std::filesystem::path out_;
  int in_ = -1;
  pid_t pid_ = -1;
  std::optional<int> status_;
};

}  // namespace pipette::interop
