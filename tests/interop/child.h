// Child: a program of somebody else's, for as long as a test needs it, in a folder of its own.
//
//   Child nginx(loopback, {"nginx", "-p", "{folder}/", …}, [](const std::filesystem::path& folder, std::uint16_t port)
//                                                                  { write the settings });
//   nginx.port();   nginx.said();
//
// It runs in the foreground, as who runs the test, and gets port and folder for "{port}" and "{folder}" in its command.
// A program that is told nothing listens on any port, and says "listening on 127.0.0.1:PORT" on its first line. The
// constructor returns when the program accepts connections. It is killed in the end, also when the test itself is, and
// its folder removed.
//
// Errors    MissingProgram; std::runtime_error, with what the program has said, when it does not come up.
// Lifetime  the loopback outlives it.   Threads  that of the test.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

#include "tests/interop/loopback.h"
#include "tests/interop/reserved_port.h"

namespace pipette::interop {

class MissingProgram : public std::runtime_error {
 public:
  explicit MissingProgram(const std::string& name) : std::runtime_error(name + " is not installed: run ci/setup") {}
};

class Child {
 public:
  using Prepare = std::function<void(const std::filesystem::path& folder, std::uint16_t port)>;

  Child(Loopback& loopback, const std::vector<std::string>& command, const Prepare& prepare = {});
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child();

  std::uint16_t port() const { return port_; }
  // What it has printed so far, on both its outputs.
  std::string said() const;
  // Ends it, now.
  void kill();

 private:
  void start(Loopback& loopback, const std::vector<std::string>& command, bool tells_port);
  bool is_running();
  // Whether it has said by now where it listens.
  bool has_told_port();
  void clean_up();

  std::filesystem::path folder_;
  ReservedPort reserved_;
  std::uint16_t port_ = reserved_.number();
  pid_t pid_ = -1;
};

// Where a program is, in PATH or where administrators keep theirs. MissingProgram.
std::filesystem::path find_program(const std::string& name);

std::string read_file(const std::filesystem::path& path);
void write_file(const std::filesystem::path& path, std::string_view text);

}  // namespace pipette::interop
