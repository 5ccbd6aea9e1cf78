// The loop in sandboxes that refuse system calls. What refuses them stays for good, so each test has a process to
// itself.
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <ctime>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <vector>

#include "pipette/async/sleep.h"
#include "pipette/tcp/runtime.h"

namespace pipette::tcp {
namespace {

using namespace std::chrono_literals;

constexpr int kWell = 0;
constexpr int kIsEarly = 1;
constexpr int kIsBusy = 2;
constexpr int kHasNoSandbox = 3;

// From now on the system call answers `error`.
bool refuse(unsigned call, unsigned error) {
  const auto number = static_cast<unsigned>(offsetof(seccomp_data, nr));
  std::vector<sock_filter> filter = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, number), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  const sock_fprog program = {.len = static_cast<unsigned short>(filter.size()), .filter = filter.data()};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

Task<> sleep_for(Runtime& runtime, Duration duration) {
  co_await async::sleep_until(runtime.loop(), after(runtime.loop().now(), duration));
}

// A loop that goes round instead of waiting would be as long at work as it should sleep.
int sleep_without_epoll_pwait2(int error) {
  if (!refuse(SYS_epoll_pwait2, static_cast<unsigned>(error))) return kHasNoSandbox;
  Runtime runtime;
  runtime.loop().refresh_now();
  const auto begin = std::chrono::steady_clock::now();
  const std::clock_t work = std::clock();
  runtime.run(sleep_for(runtime, 200ms));
  if (std::chrono::steady_clock::now() - begin < 200ms) return kIsEarly;
  return std::clock() - work > CLOCKS_PER_SEC / 50 ? kIsBusy : kWell;
}

bool is_well_or_cannot_be_tried(int status) {
  return testing::ExitedWithCode(kWell)(status) || testing::ExitedWithCode(kHasNoSandbox)(status);
}

TEST(Sandbox, WithoutEpollPwait2HasTheLoopWaitInMilliseconds) {
  for (const int error : {ENOSYS, EPERM}) {
    EXPECT_EXIT(std::_Exit(sleep_without_epoll_pwait2(error)), is_well_or_cannot_be_tried, "") << error;
  }
}

}  // namespace
}  // namespace pipette::tcp
