// What becomes of a request to go on with another protocol.
//
//   request.fields.set("Upgrade", "websocket");
//   Result<client::Upgraded> upgraded = co_await client.upgrade(request);
//   if (upgraded && upgraded->connection) …                         // else the server has answered otherwise
//
// Spec      RFC 9110 §7.8, §15.2.2.
// Errors    unexpected_response for a 101 to a protocol that was not offered.
#pragma once

#include <memory>

#include "pipette/client/response.h"
#include "pipette/net/connection.h"

namespace pipette::client {

struct Upgraded {
  Response response;                            // 101; or another one, whole
  std::unique_ptr<net::Connection> connection;  // of the new protocol, what the server has said of it already included
};

}  // namespace pipette::client
