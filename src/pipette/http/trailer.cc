#include "pipette/http/trailer.h"

#include <optional>

#include "pipette/base/ascii.h"

namespace pipette::http {
namespace {

bool is_forbidden(FieldName name) {
  switch (name) {
    // Framing and the connection.
    case FieldName::connection:
    case FieldName::content_length:
    case FieldName::keep_alive:
    case FieldName::te:
    case FieldName::trailer:
    case FieldName::transfer_encoding:
    case FieldName::upgrade:
    // Routing.
    case FieldName::forwarded:
    case FieldName::host:
    case FieldName::max_forwards:
    case FieldName::x_forwarded_for:
    case FieldName::x_forwarded_proto:
    // Who asks, and who answers.
    case FieldName::authorization:
    case FieldName::cookie:
    case FieldName::proxy_authenticate:
    case FieldName::proxy_authorization:
    case FieldName::set_cookie:
    case FieldName::www_authenticate:
    // What modifies a request.
    case FieldName::cache_control:
    case FieldName::expect:
    case FieldName::if_match:
    case FieldName::if_modified_since:
    case FieldName::if_none_match:
    case FieldName::if_range:
    case FieldName::if_unmodified_since:
    case FieldName::pragma:
    case FieldName::range:
    // What controls a response.
    case FieldName::age:
    case FieldName::date:
    case FieldName::expires:
    case FieldName::location:
    case FieldName::retry_after:
    case FieldName::vary:
    // What the content is.
    case FieldName::content_encoding:
    case FieldName::content_range:
    case FieldName::content_type:
      return true;
    default:
      return false;
  }
}

bool has_prefix(std::string_view name, std::string_view prefix) {
  return ascii::equal_ignoring_case(name.substr(0, prefix.size()), prefix);
}

// The next element of a comma-separated list, taken from its front; empty ones are skipped.
std::optional<std::string_view> take_element(std::string_view& list) {
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    const std::string_view element = ascii::trim(list.substr(0, comma));
    list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
    if (!element.empty()) return element;
  }
  return std::nullopt;
}

Result<void> check_names(std::string_view list) {
  while (const auto name = take_element(list)) {
    if (!ascii::is_token(*name)) return fail(Errc::bad_field_list);
    if (!may_be_trailer(*name)) return fail(Errc::bad_trailer);
  }
  return {};
}

}  // namespace

bool may_be_trailer(std::string_view name) {
  if (const FieldName id = intern(name); id != FieldName::other) return !is_forbidden(id);
  return !has_prefix(name, "Proxy-") && !has_prefix(name, "X-Forwarded") &&
         !ascii::equal_ignoring_case(name, "X-Real-IP");
}

Result<void> check_trailers(const Fields& trailers) {
  for (std::size_t i = 0; i < trailers.size(); ++i) {
    if (!may_be_trailer(trailers[i].name)) return fail(Errc::bad_trailer);
  }
  return {};
}

Result<void> check_trailer_names(const Fields& head) {
  Result<void> checked;
  head.for_each(FieldName::trailer, [&](std::string_view list) {
    if (checked) checked = check_names(list);
  });
  return checked;
}

}  // namespace pipette::http
