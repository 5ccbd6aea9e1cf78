#include "pipette/tcp/internal/socket.h"

#include <cassert>
#include <cerrno>
#include <unistd.h>
#include <utility>

#include "pipette/tcp/internal/loop.h"

namespace pipette::tcp {
namespace {

struct ErrnoRow {
  int system_error;
  Errc code;
};

constexpr std::array kErrnoRows = {
    ErrnoRow{EAGAIN, Errc::would_block},
    ErrnoRow{ETIMEDOUT, Errc::timed_out},
    ErrnoRow{ECONNRESET, Errc::connection_reset},
    ErrnoRow{ENOTCONN, Errc::connection_reset},
    ErrnoRow{EPIPE, Errc::broken_pipe},
    ErrnoRow{ECONNREFUSED, Errc::connection_refused},
    ErrnoRow{ECONNABORTED, Errc::connection_aborted},
    ErrnoRow{ECANCELED, Errc::operation_canceled},
    ErrnoRow{EADDRINUSE, Errc::address_in_use},
    ErrnoRow{EADDRNOTAVAIL, Errc::address_not_available},
    ErrnoRow{EMFILE, Errc::too_many_open_files},
    ErrnoRow{ENFILE, Errc::too_many_open_files_in_system},
    ErrnoRow{EHOSTUNREACH, Errc::host_unreachable},
    ErrnoRow{ENETUNREACH, Errc::network_unreachable},
    ErrnoRow{EAFNOSUPPORT, Errc::not_supported},
    ErrnoRow{EOPNOTSUPP, Errc::not_supported},
};

}  // namespace

std::error_code to_error(int system_error) {
  for (const ErrnoRow& row : kErrnoRows) {
    if (row.system_error == system_error) return make_error_code(row.code);
  }
  return {system_error, std::system_category()};
}

// The allocator that Asio finds in the handler: one operation a direction, always in the same place.
template <class T>
struct Socket::InPlace {
  using value_type = T;

  explicit InPlace(OperationMemory& place) : memory(&place) {}
  template <class U>
  InPlace(const InPlace<U>& other) : memory(other.memory) {}  // NOLINT(google-explicit-constructor): an allocator's

  T* allocate([[maybe_unused]] std::size_t count) const {
    static_assert(sizeof(T) <= sizeof(OperationMemory) && alignof(T) <= alignof(OperationMemory));
    assert(count == 1);
    return reinterpret_cast<T*>(memory->bytes.data());
  }
  void deallocate(T*, std::size_t) const {}
  bool operator==(const InPlace&) const = default;

  OperationMemory* memory;
};

struct Socket::Ready {
  using allocator_type = InPlace<std::byte>;
  allocator_type get_allocator() const noexcept { return allocator_type(socket->side(direction).memory); }
  void operator()(std::error_code) const { socket->operation_returned(direction); }

  Socket* socket;
  net::Direction direction;
};

Socket::Side::Side(async::Loop& loop) : slot(loop) {}

Socket::Socket(Loop& loop, int descriptor, std::error_code& error) : loop_(loop), sides_{Side(loop), Side(loop)} {
  descriptor_.emplace(loop.io().get_executor());
  descriptor_->assign(descriptor, error);
}

Result<OwnedSocket> Socket::adopt(Loop& loop, int descriptor) {
  std::error_code error;
  auto socket = std::make_unique<Socket>(loop, descriptor, error);
  if (error) {
    ::close(descriptor);
    return fail(error);
  }
  Socket& slot = *socket;
  loop.adopt(std::move(socket));
  return OwnedSocket(&slot);
}

void Socket::wait(net::Direction direction, net::Waiter& waiter) {
  Side& waiting = side(direction);
  waiting.slot.wait(waiter);
  if (!is_open()) {
    waiting.slot.wake();
    return;
  }
  if (std::exchange(waiting.is_pending, true)) return;
  const auto what = direction == net::Direction::read ? asio::posix::descriptor_base::wait_read
                                                      : asio::posix::descriptor_base::wait_write;
  descriptor_->async_wait(what, Ready{this, direction});
}

void Socket::close() {
  descriptor_.reset();
  for (Side& waiting : sides_) waiting.slot.wake();
}

void Socket::operation_returned(net::Direction direction) {
  side(direction).is_pending = false;
  if (has_owner_) {
    side(direction).slot.wake();
  } else if (!has_pending()) {
    loop_.free(*this);
  }
}

void Socket::let_go() {
  close();
  has_owner_ = false;
  if (!has_pending()) loop_.free(*this);
}

void LetGo::operator()(Socket* socket) const { socket->let_go(); }

}  // namespace pipette::tcp
