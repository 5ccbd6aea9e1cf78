// A listening socket, TCP or Unix. See net/listener.h for the rules.
//
// When descriptors run out, connections wait in the kernel's backlog until there are some again; an accept fails only
// while somebody does wait there. To shed one, the listener keeps a spare descriptor and gives it up for as long as it
// takes to accept and close. A peer that has sent something already sees a reset, any other the end. A spare that
// could not be had, or that another thread has taken meanwhile, is asked for again at the next accept or shed; until
// then nobody is shed.
//
// A Unix path that a dead process left behind is replaced; one on which somebody listens is address_in_use. The path
// goes when the listener closes, unless it is another file by then, or another process has made it or listens there
// too.
//
// Threads  the loop's.
#pragma once

#include <memory>
#include <sys/types.h>

#include "pipette/base/list.h"
#include "pipette/net/listener.h"
#include "pipette/net/network.h"
#include "pipette/tcp/handed.h"
#include "pipette/tcp/internal/socket.h"

namespace pipette::tcp {

class Listener final : public net::Listener, public ListNode {
 public:
  static Result<std::unique_ptr<Listener>> listen(Loop& loop, const net::Address& address,
                                                  const net::ListenOptions& options);
  // Takes over `descriptor`, which listens already; closes it when that fails. Sets what options can be set by now.
  static Result<std::unique_ptr<Listener>> adopt(Loop& loop, int descriptor, const net::ListenOptions& options);

  Listener(Loop& loop, int descriptor) : socket_(loop, descriptor) {}
  ~Listener() override { close(); }

  Result<net::Connected> try_accept() override;
  // The same, for another loop.
  Result<Handed> accept_to_hand();
  void wait(net::Waiter& waiter) override;
  bool shed() override;
  void close() override;
  net::Address address() const override { return address_; }

  int fd() const { return socket_.fd(); }
  // Whether its Unix path goes with it.
  void own_path() { file_ = file_at(address_); }
  void leave_path() { file_ = {}; }

 private:
  // Which file a path names; {0, 0} when there is none.
  struct FileId {
    dev_t device = 0;
    ino_t inode = 0;
    bool operator==(const FileId&) const = default;
  };
  static FileId file_at(const net::Address& address);

  // A descriptor that is held to be given up.
  class Spare {
   public:
    Spare() { take(); }
    Spare(const Spare&) = delete;
    Spare& operator=(const Spare&) = delete;
    ~Spare() { give_up(); }
    void take();
    void give_up();

   private:
    int fd_ = -1;
  };

  Socket socket_;
  net::Address address_;
  FileId file_;  // that of a Unix socket whose path is ours
  Spare spare_;
};

}  // namespace pipette::tcp
