// The head of a response: any split gives what the whole gives, every instruction set gives what the careful pass
// gives, the limits hold, and what is accepted satisfies the grammar.
#include <string>

#include "pipette/http/framing.h"
#include "pipette/http/status.h"

#include "fuzz/grammar.h"
#include "fuzz/input.h"
#include "fuzz/require.h"
#include "tests/support/delivery.h"

namespace pipette::fuzz {
namespace {

// Small ones in half of the cases, so that the fuzzer meets them.
http::HeadLimits choose_limits(unsigned choice) {
  if (choice < 8) return {};
  return {.max_field_bytes = 30, .max_fields = choice - 8, .max_head_bytes = 80};
}

void require_sound(const test::ResponseOutcome& outcome, std::string_view octets, const http::HeadLimits& limits) {
  const http::ResponseHead& head = outcome.head;
  require(outcome.size <= octets.size() && outcome.size <= limits.max_head_bytes);
  require(octets.substr(0, outcome.size).ends_with("\r\n\r\n"));
  require(octets.starts_with("HTTP/1."));
  require(head.status >= http::kMinStatus && head.status <= http::kMaxStatus);
  require(octets.substr(9).starts_with(std::to_string(head.status)));
  require(head.fields.size() <= limits.max_fields);
  require_text(head.reason);
  require_fields(head.fields);
  const Result<http::BodyLength> length = http::body_length(head, http::Method::get);
  if (http::forbids_body(head.status)) require(length == http::BodyLength());
  require(http::body_length(head, http::Method::head) == http::BodyLength());
}

void run(const Input& input) {
  const http::HeadLimits limits = choose_limits(input.choice);
  const test::ResponseOutcome whole = test::deliver_response({input.octets}, limits);
  require(describe(whole) == describe(test::deliver_response(input.pieces, limits)));
  for (const http::internal::Scans* scans :
       {&http::internal::no_scans(), &http::internal::portable_scans(), http::internal::sse2_scans()}) {
    if (scans != nullptr) require(describe(whole) == describe(test::deliver_response({input.octets}, limits, *scans)));
  }
  if (input.octets.size() < 256) {
    require(describe(whole) == describe(test::deliver_response(test::one_by_one(input.octets), limits)));
  }
  if (!whole.error && whole.size > 0) require_sound(whole, input.octets, limits);
}

}  // namespace
}  // namespace pipette::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  pipette::fuzz::run({data, size});
  return 0;
}
