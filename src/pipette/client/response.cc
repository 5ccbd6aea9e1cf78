#include "pipette/client/response.h"

#include "pipette/base/assign.h"

namespace pipette::client {

void Response::clear() {
  status = 0;
  reason.clear();
  fields.clear();
  body.clear();
  was_decoded = false;
  trailers.clear();
}

void Response::assign(const http::ResponseHead& head, std::string_view octets) {
  status = head.status;
  pipette::assign(reason, head.reason);
  fields.assign(head.fields, octets);
  body.clear();
  was_decoded = false;
  trailers.clear();
}

}  // namespace pipette::client
