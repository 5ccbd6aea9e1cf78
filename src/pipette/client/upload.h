// The bodies that a browser makes of a form: what a request carries, and the Content-Type that goes with it.
//
//   http::Args args;
//   args.add("name", "Ada");
//   set_form(request, args);                                             application/x-www-form-urlencoded
//
//   const Part parts[] = {{.name = "title", .content = "Pipettes"},
//                         {.name = "photo", .content = octets, .filename = "a.png", .content_type = "image/png"}};
//   Random random = runtime.random("forms");
//   set_multipart(request, parts, random);                               multipart/form-data
//
// The method stays what it is. Each multipart body has a boundary drawn for it. Whoever knows the seed of `random` may
// know it too: content that has it inside is refused, so that a part never ends before its end.
//
// Errors    those of MultipartWriter (a control octet in a name, a filename or a type; %22 in a name; the boundary in
//           the content) and of OwnedFields::set(). Nothing has changed then.
// Lifetime  content is read during the call only, and may be the request's own body.
// Threads   one a request.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "pipette/base/bytes.h"
#include "pipette/base/random.h"
#include "pipette/base/result.h"
#include "pipette/client/request.h"
#include "pipette/http/args.h"

namespace pipette::client {

struct Part {
  std::string_view name;
  Bytes content;
  std::optional<std::string_view> filename = std::nullopt;  // makes it a file
  std::string_view content_type = {};                       // empty: none is written
};

Result<void> set_form(Request& request, const http::Args& args);
Result<void> set_multipart(Request& request, std::span<const Part> parts, Random& random);

}  // namespace pipette::client
