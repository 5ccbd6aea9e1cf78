// Request: what a client sends. Reusable: clear() keeps the memory.
//
//   client::Request request;
//   request.method = http::Method::put;   request.url = "http://app/things/1";   request.body = "…";
//   request.fields.set("Content-Type", "text/plain");
//
// Host, User-Agent and Content-Length are written by the client; a Host or User-Agent set here wins.
#pragma once

#include <string>

#include "pipette/http/fields.h"
#include "pipette/http/method.h"

namespace pipette::client {

struct Request {
  http::Method method = http::Method::get;
  std::string url;
  http::OwnedFields fields;
  std::string body;

  void clear() {
    method = http::Method::get;
    url.clear();
    fields.clear();
    body.clear();
  }
};

}  // namespace pipette::client
