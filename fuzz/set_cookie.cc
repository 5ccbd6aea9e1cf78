// The cookies of a response: bounds and rules hold for all that is accepted, what can be written is read back, and any
// octets that an application puts into a cookie are refused or written as they are.
#include "pipette/http/set_cookie.h"

#include <algorithm>
#include <string>

#include "fuzz/grammar.h"
#include "fuzz/require.h"
#include "tests/support/splits.h"

namespace pipette::fuzz {
namespace {

bool begins_with(std::string_view text, std::string_view prefix) {
  if (text.size() < prefix.size()) return false;
  return std::equal(prefix.begin(), prefix.end(), text.begin(),
                    [](char a, char b) { return a == b || (is_letter_or_digit(a) && (a ^ b) == 0x20); });
}

void require_kept(const http::SetCookie& cookie) {
  require(!cookie.name.empty() || !cookie.value.empty());
  require(cookie.name.size() + cookie.value.size() <= 4096);
  require(cookie.domain.size() <= 1024 && cookie.path.size() <= 1024);
  require(cookie.path.empty() || cookie.path.front() == '/');
  require(!cookie.max_age || cookie.max_age->count() >= 0);
  for (const std::string_view text : {cookie.name, cookie.value, cookie.domain, cookie.path}) {
    require_text(text);
    require(!text.contains(';'));
    require(text.empty() || !is_one_of(text.back(), " \t"));
    const bool was_behind_a_dot = text.data() == cookie.domain.data();
    require(text.empty() || was_behind_a_dot || !is_one_of(text.front(), " \t"));
  }
  require(!cookie.name.contains('='));
  const bool is_host = begins_with(cookie.name, "__Host-");
  require(cookie.secure || !(is_host || begins_with(cookie.name, "__Secure-") || cookie.partitioned ||
                             cookie.same_site == http::SameSite::none));
  require(!is_host || (cookie.path == "/" && cookie.domain.empty()));
  require(!cookie.name.empty() || !(begins_with(cookie.value, "__Host-") || begins_with(cookie.value, "__Secure-")));

  const WallTime now(std::chrono::seconds(1'800'000'000));
  const auto expiry = cookie.expiry_at(now);
  require(expiry.has_value() == (cookie.max_age || cookie.expires));
  require(!expiry || *expiry <= now + std::chrono::days(400));
}

void require_round_trip(const http::SetCookie& cookie) {
  std::string out = "kept";
  const Result<void> written = http::write_set_cookie(cookie, out);
  if (!written) {
    require(out == "kept" && (written.error() == Errc::bad_cookie || written.error() == Errc::unsafe_cookie));
    return;
  }
  out.erase(0, 4);
  require_token(cookie.name);
  for (const char c : out) require(c >= ' ' && c < 0x7f);
  const Result<http::SetCookie> again = http::parse_set_cookie(out);
  require(again && *again == cookie);
}

void run(std::string_view text) {
  const test::ExactBlock block(text);
  const Result<http::SetCookie> cookie = http::parse_set_cookie(block.octets());
  if (cookie) {
    require_kept(*cookie);
    require_round_trip(*cookie);
    require_round_trip(http::deleted(*cookie));
  }

  // The same octets as an application's.
  http::SetCookie own("a", text);
  require_round_trip(own);
  own.value = "b";
  own.path = text;
  require_round_trip(own);
  own.path = {};
  own.domain = text;
  require_round_trip(own);
  require_round_trip({text, "b"});
}

}  // namespace
}  // namespace pipette::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  pipette::fuzz::run({reinterpret_cast<const char*>(data), size});  // NOLINT: libFuzzer's signature
  return 0;
}
