// Response: what came back, in memory of its own. Reusable: the next call keeps the memory.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "pipette/http/fields.h"
#include "pipette/http/head.h"

namespace pipette::client {

struct Response {
  int status = 0;
  std::string reason;
  http::OwnedFields fields;
  std::string body;            // whole; of a stream, nothing
  bool was_decoded = false;    // its content coding was undone (ClientOptions::decompresses)
  http::OwnedFields trailers;  // what stood behind a chunked body (RFC 9110 §6.5)

  std::optional<std::string_view> header(std::string_view name) const { return fields.get(name); }

  void clear();
  // Takes a copy of `head`, which was parsed from `octets`.
  void assign(const http::ResponseHead& head, std::string_view octets);
};

}  // namespace pipette::client
