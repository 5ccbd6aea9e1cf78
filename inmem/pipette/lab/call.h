// call(): a handler asked without any connection, and answered as over one.
//
//   const client::Response page = call(hello, {.url = "/hello?name=Ada"});
//   EXPECT_EQ(page.status, 200);   EXPECT_EQ(page.body, "Hello, Ada");
//
// Nothing is left out: the request is written as a client writes it and parsed, bounded and checked as a server does;
// the response is the one that would be on the wire, with its default fields, without a body where there must be none,
// with a 500 when the handler throws. Octet by octet it is what a connection gives, since it is a server's session that
// runs here, over a connection that always has the request and takes any response. That is also why there is nothing of
// the kind to keep in step with the server.
//
// A coroutine handler may wait: each caller has a world of its own, whose clock goes as far as the handler needs. It
// begins at inmem::kWorldStart.
//
// Errors    std::system_error when the request is none that a client would send; Stuck when the handler waits for what
//           never comes, or for more than a day.
// Cost      a microsecond and a quarter; with a Caller that is used again, two thirds of that.
// Lifetime  nothing stays.   Threads  one; handlers run on it.
#pragma once

#include <memory>
#include <string>

#include "pipette/base/bytes.h"
#include "pipette/client/request.h"
#include "pipette/client/response.h"
#include "pipette/server/server.h"

namespace pipette::lab {

// Calls one server again and again. The clock goes on from call to call.
class Caller {
 public:
  // `server` outlives it.
  explicit Caller(const Server& server);
  ~Caller();

  // The URL may be a path alone, "/hello": it is "http://app/hello" then.
  client::Response call(const client::Request& request);
  // All that a client gets that sends `octets`, waits for what it gets, and then finishes.
  std::string answer_to(Bytes octets);

 private:
  struct State;

  std::unique_ptr<State> state_;
};

client::Response call(const Server& server, const client::Request& request);
// With default options.
client::Response call(Handler handler, const client::Request& request);

// As Caller::answer_to().
std::string answer_to(const Server& server, Bytes octets);

}  // namespace pipette::lab
