#include "pipette/client/credentials.h"

#include <string>

#include "pipette/http/auth.h"

namespace pipette::client {

Result<void> set_basic(Request& request, std::string_view user, std::string_view password) {
  std::string value;
  if (const Result<void> written = http::write_basic({user, password}, value); !written) return written;
  return request.fields.set("Authorization", value);
}

Result<void> set_bearer(Request& request, std::string_view token) {
  std::string value;
  if (const Result<void> written = http::write_bearer(token, value); !written) return written;
  return request.fields.set("Authorization", value);
}

}  // namespace pipette::client
