// Which fields may stand behind a chunked body.
//
//   may_be_trailer("X-Checksum") --> true        may_be_trailer("Content-Length") --> false
//
// A field that frames, routes, authorises or controls a message, or says what its content is, would be believed by one
// recipient and overlooked by the next when it comes late. Such names are refused when trailers are written and dropped
// when they are read. Trailers are never merged into the fields of the head.
//
// Spec      RFC 9110 §6.5.1, §6.6.2.
// Errors    Errc::bad_trailer: the name may not be a trailer's; bad_field_list: a Trailer field that lists no names.
// Lifetime  reads its arguments during the call only.   Threads  pure functions, any thread.
#pragma once

#include <string_view>

#include "pipette/base/result.h"
#include "pipette/http/fields.h"

namespace pipette::http {

bool may_be_trailer(std::string_view name);

// Of the section itself.
Result<void> check_trailers(const Fields& trailers);
// Of the Trailer fields of a head, which say what will come.
Result<void> check_trailer_names(const Fields& head);

}  // namespace pipette::http
