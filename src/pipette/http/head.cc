#include "pipette/http/head.h"

#include "pipette/base/ascii.h"

namespace pipette::http {

ConnectionOptions connection_options(const Fields& fields) {
  ConnectionOptions options;
  fields.for_each(FieldName::connection, [&](std::string_view list) {
    while (!list.empty()) {
      const std::size_t comma = list.find(',');
      const std::string_view option = ascii::trim(list.substr(0, comma));
      if (ascii::equal_ignoring_case(option, "close")) options.close = true;
      if (ascii::equal_ignoring_case(option, "keep-alive")) options.keep_alive = true;
      if (ascii::equal_ignoring_case(option, "upgrade")) options.upgrade = true;
      list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
    }
  });
  return options;
}

}  // namespace pipette::http
