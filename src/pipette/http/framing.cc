#include "pipette/http/framing.h"

#include "pipette/base/ascii.h"
#include "pipette/http/status.h"

namespace pipette::http {
namespace {

using Kind = BodyLength::Kind;

// The Transfer-Encoding we read is exactly "chunked", once, in one field (RFC 9112 §6.1, §7). Others that end with it
// are not implemented, as is one alone; what does not end with it, or has it twice, or has empty elements or
// parameters, makes no sense.
Result<void> check_transfer_encoding(const Fields& fields) {
  std::string_view list = *fields.get(FieldName::transfer_encoding);
  if (ascii::equal_ignoring_case(list, "chunked") && !fields.is_repeated(FieldName::transfer_encoding)) return {};
  if (fields.is_repeated(FieldName::transfer_encoding)) return fail(Errc::bad_transfer_coding);
  const bool is_list = list.contains(',');
  for (;;) {
    const std::size_t comma = list.find(',');
    const std::string_view coding = ascii::trim(list.substr(0, comma));
    const bool is_last = comma == std::string_view::npos;
    const bool is_chunked = ascii::equal_ignoring_case(coding, "chunked");
    if (!ascii::is_token(coding) || (is_list && is_chunked != is_last)) return fail(Errc::bad_transfer_coding);
    if (is_last) return fail(Errc::unknown_transfer_coding);
    list.remove_prefix(comma + 1);
  }
}

// One Content-Length, of digits alone (RFC 9110 §8.6). A list of equal values, which a recipient may accept, we do not.
Result<std::uint64_t> parse_content_length(const Fields& fields) {
  if (fields.is_repeated(FieldName::content_length)) return fail(Errc::bad_content_length);
  const auto size = ascii::parse_decimal(*fields.get(FieldName::content_length));
  if (!size) return fail(Errc::bad_content_length);
  return *size;
}

}  // namespace

// The same for both roles.
Result<BodyLength> internal::declared_length(bool is_http_1_0, const Fields& fields) {
  const bool has_length = fields.contains(FieldName::content_length);
  if (fields.contains(FieldName::transfer_encoding)) {
    // Step 3: both fields are an attack or a mistake; refused, never guessed.
    if (has_length) return fail(Errc::conflicting_framing);
    // Step 4, and §6.1: a transfer coding in HTTP/1.0 is faulty framing.
    if (is_http_1_0) return fail(Errc::bad_transfer_coding);
    if (const Result<void> coding = check_transfer_encoding(fields); !coding) return fail(coding.error());
    return BodyLength{Kind::chunked, 0};
  }
  if (!has_length) return BodyLength{Kind::none, 0};
  // Steps 5 and 6.
  const Result<std::uint64_t> size = parse_content_length(fields);
  if (!size) return fail(size.error());
  return BodyLength{Kind::exact, *size};
}

Result<BodyLength> body_length(const ResponseHead& head, Method method) {
  // Step 1: what ends at the empty line, whatever the fields say.
  if (method == Method::head || forbids_body(head.status)) return BodyLength{Kind::none, 0};
  // Step 2: a tunnel has no body either.
  if (method == Method::connect && head.status >= 200 && head.status < 300) return BodyLength{Kind::none, 0};
  const Result<BodyLength> declared = internal::declared_length(head.is_http_1_0, head.fields);
  // Step 8: a response with neither field ends with the connection.
  if (declared && declared->kind == Kind::none) return BodyLength{Kind::until_close, 0};
  return declared;
}

}  // namespace pipette::http
