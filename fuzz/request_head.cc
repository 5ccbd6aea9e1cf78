// The head of a request: any split gives what the whole gives, every instruction set gives what the careful pass gives,
// the limits hold, and what is accepted satisfies the grammar.
#include <string>

#include "pipette/http/framing.h"

#include "fuzz/grammar.h"
#include "fuzz/input.h"
#include "fuzz/require.h"
#include "tests/support/delivery.h"

namespace pipette::fuzz {
namespace {

// Small ones in half of the cases, so that the fuzzer meets them.
http::HeadLimits choose_limits(unsigned choice) {
  if (choice < 8) return {};
  return {.max_target_bytes = 20, .max_field_bytes = 30, .max_fields = choice - 8, .max_head_bytes = 80};
}

void require_target(const http::RequestHead& head) {
  require(!head.target.empty());
  for (std::size_t i = 0; i < head.target.size(); ++i) {
    const char c = head.target[i];
    require(is_letter_or_digit(c) || is_one_of(c, "-._~!$&'()*+,;=:@/?%[]"));
  }
  switch (head.form) {
    case http::TargetForm::origin:
      require(head.target.front() == '/' && head.path.starts_with('/'));
      break;
    case http::TargetForm::absolute:
      require(head.path.starts_with('/') && !head.authority.empty() && head.target.contains("://"));
      break;
    case http::TargetForm::authority:
      require(head.method == http::Method::connect && head.authority == head.target);
      break;
    case http::TargetForm::asterisk:
      require(head.method == http::Method::options && head.target == "*");
      break;
  }
}

void require_sound(const test::RequestOutcome& outcome, std::string_view octets, const http::HeadLimits& limits) {
  const http::RequestHead& head = outcome.head;
  require(outcome.size <= octets.size() && outcome.size <= limits.max_head_bytes);
  require(octets.substr(0, outcome.size).ends_with("\r\n\r\n"));
  require(head.target.size() <= limits.max_target_bytes);
  require(head.fields.size() <= limits.max_fields);
  require_token(head.method_text);
  require(head.method == http::method_of(head.method_text));
  require_target(head);
  require_fields(head.fields);
  require(!head.fields.is_repeated(http::FieldName::host));
  require(head.is_http_1_0 || head.fields.contains(http::FieldName::host));
  require(head.authority.empty() || http::is_host(head.authority));
  const Result<http::BodyLength> length = http::body_length(head);
  if (length && length->kind == http::BodyLength::Kind::chunked) {
    require(!head.is_http_1_0 && !head.fields.contains(http::FieldName::content_length));
  }
}

// A parser that has read the same head, and the first of the pieces, sees what a fresh one sees.
void require_reusable(const Input& input, const http::HeadLimits& limits, const std::string& expected) {
  http::RequestParser parser(limits);
  http::RequestHead head;
  if (test::deliver_next(parser, head, {input.octets}).starts_with("refused")) return;
  require(test::deliver_next(parser, head, input.pieces) == expected);
  if (test::deliver_next(parser, head, {input.pieces.front()}).starts_with("refused")) return;
  require(test::deliver_next(parser, head, {input.octets}) == expected);
}

void run(const Input& input) {
  const http::HeadLimits limits = choose_limits(input.choice);
  const test::RequestOutcome whole = test::deliver_request({input.octets}, limits);
  require(describe(whole) == describe(test::deliver_request(input.pieces, limits)));
  for (const http::internal::Scans* scans :
       {&http::internal::no_scans(), &http::internal::portable_scans(), http::internal::sse2_scans()}) {
    if (scans != nullptr) require(describe(whole) == describe(test::deliver_request({input.octets}, limits, *scans)));
  }
  if (input.octets.size() < 256) {
    require(describe(whole) == describe(test::deliver_request(test::one_by_one(input.octets), limits)));
  }
  require_reusable(input, limits, describe(whole));
  if (whole.error) {
    require(errc_row(*whole.error).status >= 400 && !errc_row(*whole.error).connection_survives);
  } else if (whole.size > 0) {
    require_sound(whole, input.octets, limits);
  } else {
    require(input.octets.size() <= limits.max_head_bytes);
  }
}

}  // namespace
}  // namespace pipette::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  pipette::fuzz::run({data, size});
  return 0;
}
