// Endpoint: an Address as the kernel wants it, and back.
//
// Errors    to_endpoint() fails with Errc::bad_address for names, which must be resolved first, for paths that
//           are too long, and for no address at all.
// Threads   any.
#pragma once

#include <sys/socket.h>

#include "pipette/base/result.h"
#include "pipette/net/address.h"

namespace pipette::tcp {

struct Endpoint {
  sockaddr* data() { return reinterpret_cast<sockaddr*>(&storage); }
  const sockaddr* data() const { return reinterpret_cast<const sockaddr*>(&storage); }
  int family() const { return storage.ss_family; }

  sockaddr_storage storage{};
  socklen_t size = sizeof(sockaddr_storage);
};

Result<Endpoint> to_endpoint(const net::Address& address);
// An IPv4 address inside IPv6 becomes IPv4. Kind::none for what we do not know, and for Unix sockets without a name.
net::Address to_address(const Endpoint& endpoint);

// Where the socket is, and to whom it leads; Kind::none when it leads nowhere.
net::Address local_address(int fd);
net::Address remote_address(int fd);

}  // namespace pipette::tcp
