#include "pipette/tcp/internal/keep_alive.h"

#include <algorithm>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace pipette::tcp {
namespace {

using std::chrono::seconds;

constexpr seconds kLongest(32767);
constexpr int kProbes = 9;

void set_option(int fd, int level, int name, int value) { ::setsockopt(fd, level, name, &value, sizeof value); }

}  // namespace

int whole_seconds(Duration duration) {
  if (duration <= Duration::zero() || duration == Duration::max()) return 0;
  return static_cast<int>(std::chrono::ceil<seconds>(std::min<Duration>(duration, kLongest)).count());
}

void set_keep_alive(int fd, Duration interval) {
  const int whole = whole_seconds(interval);
  set_option(fd, SOL_SOCKET, SO_KEEPALIVE, whole > 0 ? 1 : 0);
  if (whole == 0) return;
  set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, whole);
  set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, whole);
  set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, kProbes);
}

}  // namespace pipette::tcp
