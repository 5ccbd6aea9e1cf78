// Loopback: the real world as far as 127.0.0.1, for a test that waits for programs of others in it.
//
//   Loopback loopback;
//   Result<client::Response> page = loopback.await(client.get(url));     // runs the loop until it is there
//   EXPECT_TRUE(loopback.wait_until([&] { return loopback.accepts(port); }));
//
// Nothing is correct because some time has passed: wait_until() asks every few milliseconds, and gives up after long.
//
// Threads  one.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <utility>

#include "pipette/async/task.h"
#include "pipette/net/address.h"
#include "pipette/tcp/runtime.h"

namespace pipette::interop {

class Loopback {
 public:
  static constexpr Duration kPatience = std::chrono::seconds(10);

  Runtime& runtime() { return runtime_; }

  template <class T>
  T await(Task<T> task) {
    std::optional<T> result;
    runtime_.run(keep(std::move(task), result));
    return std::move(*result);
  }
  void run(Task<> task) { runtime_.run(std::move(task)); }

  // False: it did not hold in all that time.
  bool wait_until(const std::function<bool()>& holds);
  bool accepts(std::uint16_t port);

 private:
  template <class T>
  static Task<> keep(Task<T> task, std::optional<T>& result) {
    result.emplace(co_await task);
  }

  tcp::Runtime runtime_;
};

}  // namespace pipette::interop
