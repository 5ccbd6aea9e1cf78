// A client and an echo server on one runtime, for the end-to-end rows in memory and over TCP.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "pipette/async/task_group.h"
#include "pipette/client/caller.h"
#include "pipette/client/client.h"
#include "pipette/server/server.h"
#include "pipette/server/worker.h"

namespace pipette::bench {

// Calls one URL again and again with the same request and response, and compares each body.
class Calls {
 public:
  Calls(Caller& client, std::string url, std::string_view expected_body)
      : client_(client), expected_body_(expected_body) {
    request_.url = std::move(url);
  }

  Task<> make(std::size_t count);
  std::size_t failed() const { return failed_; }

 private:
  Caller& client_;
  client::Request request_;
  client::Response response_;
  std::string_view expected_body_;
  std::size_t failed_ = 0;
};

class EndToEnd {
 public:
  // Listens on `address`, and gets ready to make `concurrency` calls at a time. The server answers with `body`, which
  // outlives this; with the target of the request where it is empty.
  EndToEnd(Runtime& runtime, std::string_view address, std::size_t concurrency, std::string_view body = {});

  net::Address address() const { return address_; }
  // Spreads `calls` over the callers. They run as the loop does.
  void start(const std::string& url, std::size_t calls);
  // Every call has ended, and well.
  bool is_complete() const;
  async::TaskGroup& callers() { return callers_; }

 private:
  std::string_view body_;
  Server server_;
  server::Worker worker_;
  Client client_;
  net::Address address_;
  std::vector<std::unique_ptr<Calls>> calls_;
  async::TaskGroup acceptors_;
  async::TaskGroup callers_;
};

}  // namespace pipette::bench
