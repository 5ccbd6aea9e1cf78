// A listening socket, TCP or Unix. See net/listener.h for the rules.
//
// When descriptors run out, connections wait in the kernel's backlog until there are some again; an accept fails only
// while somebody does wait there.
//
// A Unix path that a dead process left behind is replaced; one on which somebody listens is address_in_use. The path
// goes when the listener closes, unless it is another file by then.
//
// Threads  the loop's.
#pragma once

#include <memory>
#include <sys/types.h>

#include "pipette/net/listener.h"
#include "pipette/net/network.h"
#include "pipette/tcp/internal/socket.h"

namespace pipette::tcp {

class Listener final : public net::Listener {
 public:
  static Result<std::unique_ptr<net::Listener>> listen(Loop& loop, const net::Address& address,
                                                       const net::ListenOptions& options);

  Listener(OwnedSocket socket, net::Address address);
  ~Listener() override { close(); }

  Result<net::Connected> try_accept() override;
  void wait(net::Waiter& waiter) override;
  void close() override;
  net::Address address() const override { return address_; }

 private:
  // Which file a path names; {0, 0} when there is none.
  struct FileId {
    dev_t device = 0;
    ino_t inode = 0;
    bool operator==(const FileId&) const = default;
  };
  static FileId file_at(const net::Address& address);

  OwnedSocket socket_;
  net::Address address_;
  FileId file_;  // the socket's own, when it is a Unix one
};

}  // namespace pipette::tcp
