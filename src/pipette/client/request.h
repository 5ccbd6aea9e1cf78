// Request: what a client sends. Reusable: clear() keeps the memory.
//
//   client::Request request;
//   request.method = http::Method::put;   request.url = "http://app/things/1";   request.body = "…";
//   request.fields.set("Content-Type", "text/plain");
//
// Host, User-Agent and Content-Length are written by the client; a Host or User-Agent set here wins. Credentials in the
// URL, http://user:password@app/, become an Authorization field unless there is one.
//
// A body may come from a source instead, piece by piece. It can be read only once: such a call is never repeated, and a
// redirect that would take the body along is the call's response.
//
// Lifetime  the source outlives the call, and a stream of its response.
#pragma once

#include <string>

#include "pipette/http/fields.h"
#include "pipette/http/message_writer.h"
#include "pipette/http/method.h"
#include "pipette/net/body_source.h"

namespace pipette::client {

struct Request {
  http::Method method = http::Method::get;
  std::string url;
  http::OwnedFields fields;
  std::string body;

  BodySource* body_source = nullptr;  // in place of `body`
  http::KnownLength body_length;      // of what the source gives; unknown: chunked
  http::OwnedFields trailers;         // behind a chunked body; read when its source has come to its end

  bool has_body() const { return body_source != nullptr || !body.empty(); }

  void clear() {
    method = http::Method::get;
    url.clear();
    fields.clear();
    body.clear();
    body_source = nullptr;
    body_length = {};
    trailers.clear();
  }
};

}  // namespace pipette::client
