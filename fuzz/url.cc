// URLs, targets and queries: what is accepted can be sent in a request line and is read back as the same.
#include "pipette/http/url.h"

#include <string>

#include "pipette/http/query.h"

#include "fuzz/grammar.h"
#include "fuzz/require.h"
#include "tests/support/delivery.h"

namespace pipette::fuzz {
namespace {

void run(std::string_view text) {
  if (const auto decoded = http::percent_decode(text)) {
    require(decoded->size() <= text.size());
    require(text.contains('%') || *decoded == text);
  }
  http::query_value(text, "a");

  const test::ExactBlock block(text);
  const Result<http::Url> url = http::parse_url(block.octets());
  if (!url) {
    require(url.error() == Errc::bad_url || url.error() == Errc::unsupported_scheme);
    return;
  }
  require(!url->host.empty() && url->authority.starts_with(url->host) && http::is_host(url->authority));
  require(http::is_target(url->target));

  // The request that a client would send for it.
  std::string request = "GET ";
  request.append(url->target_prefix()).append(url->target).append(" HTTP/1.1\r\nHost: ");
  request.append(url->authority).append("\r\n\r\n");
  const http::HeadLimits limits{.max_target_bytes = 1 << 20, .max_field_bytes = 1 << 20, .max_head_bytes = 1 << 21};
  const test::RequestOutcome outcome = test::deliver_request({request}, limits);
  require(!outcome.error && outcome.size == request.size());
  require(outcome.head.authority == url->authority && outcome.head.form == http::TargetForm::origin);
  require(outcome.head.fields.size() == 1);
}

}  // namespace
}  // namespace pipette::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  pipette::fuzz::run({reinterpret_cast<const char*>(data), size});  // NOLINT: libFuzzer's signature
  return 0;
}
