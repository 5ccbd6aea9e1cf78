// LateAnswer: what answers in the place of a handler that is late.
//
//   LateAnswer answer{.status = 504, .message = R"({"error":"later"})"};
//   (void)answer.fields.set("Content-Type", "application/json");      // and Retry-After, or whatever helps
//   Server server(timeout(report, 2s, answer));
//
// Lifetime  a value.   Threads  any.
#pragma once

#include <string>

#include "pipette/http/fields.h"

namespace pipette::server {

struct LateAnswer {
  int status = 503;
  std::string message{};       // the body; empty: the reason phrase of the status
  http::OwnedFields fields{};  // those that the server manages are left out
};

}  // namespace pipette::server

namespace pipette {
using server::LateAnswer;
}  // namespace pipette
