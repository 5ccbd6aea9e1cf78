// A chunked body: any split gives what the whole gives, the limits hold, and a plain decoder that believes everything
// it is told finds the same data in what is accepted.
#include <charconv>
#include <string>

#include "fuzz/input.h"
#include "fuzz/require.h"
#include "tests/support/delivery.h"

namespace pipette::fuzz {
namespace {

// Small ones in half of the cases, so that the fuzzer meets them.
http::BodyLimits choose_limits(unsigned choice) {
  if (choice < 8) return {};
  return {.max_body_bytes = choice * 4,
          .max_chunk_overhead_bytes = 40,
          .trailer = {.max_field_bytes = 30, .max_fields = choice - 8, .max_head_bytes = 60}};
}

// Of a complete body whose grammar has been checked by others.
std::string decode(std::string_view octets) {
  std::string data;
  for (;;) {
    const std::size_t line_end = octets.find("\r\n");
    require(line_end != std::string_view::npos);
    std::size_t size = 0;
    const auto [digits_end, error] = std::from_chars(octets.data(), octets.data() + line_end, size, 16);
    require(error == std::errc());
    require(digits_end == octets.data() + line_end || *digits_end == ';');
    octets.remove_prefix(line_end + 2);
    if (size == 0) break;
    require(octets.size() >= size + 2 && octets.substr(size, 2) == "\r\n");
    data += octets.substr(0, size);
    octets.remove_prefix(size + 2);
  }
  require(octets == "\r\n" || octets.ends_with("\r\n\r\n"));
  return data;
}

void run(const Input& input) {
  const http::BodyLimits limits = choose_limits(input.choice);
  const http::BodyLength chunked{http::BodyLength::Kind::chunked, 0};
  const test::BodyOutcome whole = test::deliver_body({input.octets}, chunked, limits);
  require(whole == test::deliver_body(input.pieces, chunked, limits));
  if (input.octets.size() < 256) require(whole == test::deliver_body(test::one_by_one(input.octets), chunked, limits));
  require(whole.data.size() <= limits.max_body_bytes);
  require(whole.consumed <= input.octets.size());
  if (whole.error) require(errc_row(*whole.error).status >= 400 && !errc_row(*whole.error).connection_survives);
  if (whole.is_complete) require(decode(input.octets.substr(0, whole.consumed)) == whole.data);
}

}  // namespace
}  // namespace pipette::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  pipette::fuzz::run({data, size});
  return 0;
}
