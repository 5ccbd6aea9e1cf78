#include "pipette/tcp/listening.h"

#include <sys/socket.h>
#include <utility>

#include "pipette/tcp/internal/endpoint.h"

namespace pipette::tcp {
namespace {

int option_of(int descriptor, int name) {
  int value = 0;
  socklen_t size = sizeof value;
  return ::getsockopt(descriptor, SOL_SOCKET, name, &value, &size) == 0 ? value : 0;
}

}  // namespace

Result<net::Address> listens_at(int descriptor) {
  const bool listens = option_of(descriptor, SO_ACCEPTCONN) != 0 && option_of(descriptor, SO_TYPE) == SOCK_STREAM;
  net::Address address = listens ? local_address(descriptor) : net::Address();
  if (address.kind() == net::Address::Kind::none) return fail(Errc::not_supported);
  return address;
}

}  // namespace pipette::tcp
